"""Somebody who can write to the second place, and not to the database, stops no signature by litter, and gets none for a lie."""

import shutil
from pathlib import Path

import pytest

from adapters.second_place import FolderPlace, PlaceAway
from domain.log import EpochReason, LastPublished, Origin, Root
from tests.integrator.conftest import Ground, ground, settle
from workers.epochs import open_epoch
from workers.integrator.judging import Refused

__all__ = ["ground"]


def folder_of(ground: Ground) -> Path:
    return ground.place._folder / "checkpoint"


@pytest.mark.parametrize("name", ["1.bak", "01", "0", "notes", "1-copy", "2.orig/1", "99999999999999999999"])
async def test_attack_files_that_are_no_epochs(ground: Ground, name: str) -> None:
    """A copy that somebody made of a checkpoint is no later epoch, and nothing to trip over."""
    await ground.grow(5)
    await settle(ground.integrator())
    litter = folder_of(ground) / name
    litter.parent.mkdir(exist_ok=True)
    litter.write_bytes((folder_of(ground) / "1").read_bytes())
    await ground.grow(5)
    await settle(ground.integrator())
    assert (await ground.checkpoint()).size == 10


@pytest.mark.parametrize("more", [b"\xff\xfe", b"\x00", b"\n"])
async def test_attack_bytes_behind_the_newest_checkpoint(ground: Ground, more: bytes) -> None:
    await ground.grow(5)
    await settle(ground.integrator())
    newest = folder_of(ground) / "1"
    newest.write_bytes(newest.read_bytes() + more)
    with pytest.raises(Refused, match="none of ours"):
        await settle(ground.integrator())


async def test_attack_a_second_place_taken_away_before_an_epoch_is_opened(ground: Ground) -> None:
    """The new epoch still says what was published of the one before: the database knows it, if nobody else does."""
    await ground.grow(40)
    await settle(ground.integrator())
    before = await ground.checkpoint()
    shutil.rmtree(ground.place._folder)
    with pytest.raises(Refused, match="second place has nothing of it"):
        await settle(ground.integrator())
    opened = await open_epoch(ground.database.owner_url, ground.place, EpochReason.OTHER)
    assert opened.event.agreed == before.size
    assert opened.event.earlier == LastPublished(origin=Origin(before.origin), size=before.size, root=Root(before.encoded_root))
    await settle(ground.integrator())
    assert (await ground.checkpoint(epoch=2)).size == before.size + 1


@pytest.mark.parametrize("scratch", [".1", ".lock"])
async def test_attack_a_link_in_the_place_of_a_scratch_file(tmp_path: Path, scratch: str) -> None:
    """What it leads to is not written over, and not made."""
    place = FolderPlace(tmp_path / "place")
    await place.put("other", b"", expect=None)
    (tmp_path / "place" / scratch).unlink(missing_ok=True)
    (tmp_path / "place" / scratch).symlink_to(tmp_path / "treasure")
    with pytest.raises(PlaceAway):
        await place.put("1", b"a checkpoint", expect=None)
    assert not (tmp_path / "treasure").exists()
    await place.close()
