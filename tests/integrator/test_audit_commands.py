"""`minos audit checkpoint` and `minos audit key`, as an auditor calls them."""

import argparse

import pytest

from cli.audit_actions import checkpoint, key
from cli.command import COULD_NOT, DONE
from domain.log import EpochReason
from tests.integrator.conftest import Ground, settle
from workers.epochs import open_epoch


@pytest.fixture
def settings(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> Ground:
    monkeypatch.setenv("MINOS_DATABASE_URL", ground.database.app_url)
    monkeypatch.setenv("MINOS_SECOND_PLACE", str(ground.place._folder))
    monkeypatch.setenv("MINOS_DATA_DIR", str(ground.place._folder.parent))
    return ground


async def printed(
    capsys: pytest.CaptureFixture[str], action: str, epoch: int | None = None, *, second_place: bool = False
) -> tuple[int, str]:
    act = {"checkpoint": checkpoint.act, "key": key.act}[action]
    code = await act(argparse.Namespace(epoch=epoch, second_place=second_place))
    return code, capsys.readouterr().out


async def test_the_checkpoint_is_printed_as_it_was_published(settings: Ground, capsys: pytest.CaptureFixture[str]) -> None:
    await settings.grow(5)
    await settle(settings.integrator())
    note = (await settings.published()).note
    assert await printed(capsys, "checkpoint") == (DONE, note)
    assert await printed(capsys, "checkpoint", second_place=True) == (DONE, note)
    assert await printed(capsys, "checkpoint", 1, second_place=True) == (DONE, note)


async def test_without_one_there_is_nothing_to_print(settings: Ground, capsys: pytest.CaptureFixture[str]) -> None:
    assert settings
    assert await printed(capsys, "checkpoint") == (COULD_NOT, "")
    assert await printed(capsys, "checkpoint", 2) == (COULD_NOT, "")
    assert await printed(capsys, "checkpoint", second_place=True) == (COULD_NOT, "")


async def test_the_key_is_the_line_that_others_read(settings: Ground, capsys: pytest.CaptureFixture[str]) -> None:
    name = settings.signer.name
    assert await printed(capsys, "key") == (DONE, name.verifier(1).line() + "\n")
    assert await printed(capsys, "key", 2) == (COULD_NOT, ""), "there is no such epoch yet"
    await open_epoch(settings.database.owner_url, settings.place, EpochReason.OTHER)
    assert await printed(capsys, "key") == (DONE, name.verifier(2).line() + "\n")
    assert await printed(capsys, "key", 1) == (DONE, name.verifier(1).line() + "\n")
    await settings.as_owner("DELETE FROM vault.log_keys")
    assert await printed(capsys, "key") == (COULD_NOT, "")
