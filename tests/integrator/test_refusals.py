"""A log that does not continue what was published of it gets no signature, whoever holds the database."""

import asyncio
import shutil

import pytest

from adapters import published
from adapters.checkpoint_key import CheckpointSigner
from adapters.second_place import FolderPlace, PlaceChanged
from domain.tree.checkpoint import Checkpoint
from tests.integrator.conftest import Ground, Rewind, settle
from workers.integrator import integrator
from workers.integrator.growing import LogChanged
from workers.integrator.integrator import Integrator
from workers.integrator.judging import Refused


async def refused(worker: Integrator, words: str) -> None:
    with pytest.raises(Refused, match=words):
        await settle(worker)


async def test_a_restored_backup_is_refused(ground: Ground, backup: Rewind) -> None:
    await ground.grow(40)
    await settle(ground.integrator())
    restored = await backup()
    await ground.grow(10)
    await settle(ground.integrator())
    await refused(restored.integrator(), "50 events were published, and there are 40")
    assert (await ground.checkpoint()).size == 50


@pytest.mark.parametrize("events", [10, 30])
async def test_a_fork_from_a_backup_is_refused_also_when_it_is_longer(ground: Ground, backup: Rewind, events: int) -> None:
    await ground.grow(270)
    await settle(ground.integrator())
    fork = await backup()
    await ground.grow(10)
    await settle(ground.integrator())
    await fork.grow(events)
    await refused(fork.integrator(), "not those that were published")


async def test_dropping_the_tail_is_refused(ground: Ground) -> None:
    await ground.grow(40)
    await settle(ground.integrator())
    await ground.as_owner("DELETE FROM events WHERE append_id = (SELECT max(append_id) FROM events)", "UPDATE log_head SET size = 39")
    await refused(ground.integrator(), "40 events were published, and there are 39")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE events SET actor = 'nobody' WHERE append_id = (SELECT min(append_id) + {at} FROM events)",
        "UPDATE events SET payload = '{{\"a\":1}}' WHERE append_id = (SELECT min(append_id) + {at} FROM events)",
        "UPDATE events SET recorded_at = recorded_at + interval '1 us' WHERE append_id = (SELECT min(append_id) + {at} FROM events)",
        (
            "UPDATE events e SET event_id = o.event_id FROM events o, (SELECT min(append_id) + {at} AS low FROM events) m "
            "WHERE (e.append_id, o.append_id) IN ((m.low, m.low + 1), (m.low + 1, m.low))"
        ),
    ],
    ids=["who", "what", "when", "swapped"],
)
@pytest.mark.parametrize(("at", "tiles"), [(290, "SELECT 1"), (3, "DELETE FROM log_tiles")], ids=["the edge", "a tile made anew"])
async def test_rewriting_an_event_is_refused(ground: Ground, change: str, at: int, tiles: str) -> None:
    """Also with every hash made anew: what was published is elsewhere. What is under an old tile is `audit verify`'s to find."""
    await ground.grow(300)
    await settle(ground.integrator())
    await ground.as_owner(change.format(at=at), tiles, "DELETE FROM log_times" if "DELETE" in tiles else "SELECT 1")
    await refused(ground.integrator(), "not those that were published")


async def test_a_rewritten_log_is_not_published_as_a_new_epoch(ground: Ground) -> None:
    """Whoever owns the database can say that it is of another epoch; the log has to say it too, and from where."""
    await ground.grow(40)
    await settle(ground.integrator())
    await ground.as_owner("UPDATE events SET actor = 'nobody'", "UPDATE log_head SET epoch = 2")
    await refused(ground.integrator(), "nothing in the log says that epoch 2 was opened")


async def test_a_database_of_an_earlier_epoch_is_refused(ground: Ground) -> None:
    await ground.grow(40)
    await ground.place.put("checkpoint/2", b"what was published of the second", expect=None)
    await refused(ground.integrator(), "epoch 2 of the log was published, and this database has epoch 1")


async def test_a_checkpoint_of_another_key_is_none_of_ours(ground: Ground) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    await ground.grow(5)
    strange = CheckpointSigner(ground.signer.name, Ed25519PrivateKey.generate())
    forged = strange.sign(Checkpoint(origin="id.example.org/log", size=5, root=await ground.tree.root(5)), 1)
    await published.publish(ground.place, 1, forged, expect=None)
    await refused(ground.integrator(), "none of ours")


@pytest.mark.parametrize("kept", [b"", b"nonsense", b"id.example.org/log\n5\n"])
async def test_what_is_no_checkpoint_is_none_of_ours(ground: Ground, kept: bytes) -> None:
    await ground.grow(5)
    await ground.place.put("checkpoint/1", kept, expect=None)
    await refused(ground.integrator(), "none of ours")


async def test_a_second_place_that_was_lost_is_refused(ground: Ground) -> None:
    await ground.grow(40)
    await settle(ground.integrator())
    shutil.rmtree(ground.place._folder)
    await refused(ground.integrator(), "40 events were published, and the second place has nothing of it")


async def test_a_second_place_that_was_set_back_is_refused(ground: Ground) -> None:
    await ground.grow(40)
    await settle(ground.integrator())
    before = await ground.published()
    await ground.grow(2)
    await settle(ground.integrator())
    after = await ground.published()
    await ground.place.put("checkpoint/1", before.note.encode(), expect=after.version)
    await refused(ground.integrator(), r"older \(40\) than what was published \(42\)")


async def test_a_closed_epoch_is_signed_by_nobody_more(ground: Ground) -> None:
    """Not by a server either that still runs on the old database."""
    await ground.grow(40)
    worker = ground.integrator()
    await settle(worker)
    await published.close_epoch(ground.place, await ground.published())
    await ground.grow(1)
    with pytest.raises(PlaceChanged):
        await worker.step()
    await refused(worker, "was closed")


async def test_a_log_that_becomes_shorter_or_another_while_we_run_is_noticed(ground: Ground) -> None:
    await ground.grow(40)
    worker = ground.integrator()
    await settle(worker)
    await ground.as_owner("UPDATE events SET actor = 'nobody' WHERE append_id = (SELECT max(append_id) FROM events)")
    with pytest.raises(LogChanged, match="another event at 40"):
        await worker.step()
    await refused(worker, "not those that were published")
    again = ground.integrator(FolderPlace(ground.place._folder.parent / "other"))
    await ground.as_owner("DELETE FROM log_checkpoints")
    await settle(again)
    await ground.as_owner("UPDATE log_head SET size = 39")
    with pytest.raises(LogChanged, match="the log ends at 39"):
        await again.step()


async def test_a_refusal_is_told_and_lasts(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(integrator, "HALTED_SECONDS", 0.01)
    await ground.grow(40)
    await settle(ground.integrator())
    await ground.as_owner("UPDATE events SET actor = 'nobody'")
    ground.seen.clear()
    stop = asyncio.Event()
    running = asyncio.create_task(ground.integrator().run(stop))
    async with asyncio.timeout(10):
        while len(ground.seen) < 3:
            await asyncio.sleep(0.01)
    stop.set()
    await running
    assert all(seen.halted and "not those that were published" in seen.halted for seen in ground.seen)
