"""What is exported can be checked by who has nothing but the files and the key."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from minos_sdk.audit import LogKey, verify_bundle
from tests.audit.conftest import SIZE, Audited
from workers.audit import bundle, export
from workers.audit.bundle import NotExported
from workers.audit.verify import Advance

DYING = """
import asyncio, os, signal, sys
from pathlib import Path
from workers.audit import bundle, export
bundle.PART = export.PART = 256
def die(at):
    if at.done > 300:
        os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(export.export(sys.argv[1], Path(sys.argv[2]), progress=die))
"""


async def exported(log: Audited, folder: Path, *, resume: bool = False) -> export.Exported:
    return await export.export(log.database.app_url, folder, resume=resume)


def key_of(log: Audited) -> LogKey:
    return LogKey.parse(log.signer.name.verifier(1).line())


async def test_a_bundle_holds_for_who_has_only_the_key(audited: Audited, tmp_path: Path) -> None:
    done = await exported(audited, tmp_path / "bundle")
    assert (done.size, done.pruned, done.checkpoints) == (SIZE, 0, SIZE // 100)
    report = verify_bundle(tmp_path / "bundle", keys=[key_of(audited)])
    assert report.holds, report.findings
    assert (report.size, report.streams, report.checkpoints) == (SIZE, SIZE // 10, done.checkpoints)
    assert not (tmp_path / "bundle" / bundle.UNFINISHED).exists()


async def test_an_export_killed_on_the_way_goes_on_where_it_was(audited: Audited, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "bundle"
    died = subprocess.run([sys.executable, "-c", DYING, audited.database.app_url, str(folder)], timeout=60, check=False)
    assert died.returncode == -signal.SIGKILL
    assert not (folder / bundle.MANIFEST).exists(), "it is no bundle yet"
    with pytest.raises(NotExported, match="--resume"):
        await exported(audited, folder)
    monkeypatch.setattr(export, "PART", 256)
    monkeypatch.setattr(bundle, "PART", 256)
    seen: list[Advance] = []
    await export.export(audited.database.app_url, folder, resume=True, progress=seen.append)
    assert min(at.done for at in seen if at.stage == "entries") == 512, "the part that was whole is not written again"
    assert verify_bundle(folder, keys=[key_of(audited)]).holds
    assert not list(folder.rglob("*.part"))
    with pytest.raises(NotExported, match="is whole"):
        await exported(audited, folder, resume=True)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE events SET actor = 'user:innocent' WHERE append_id = 300",
        "UPDATE events SET actor = 'user:innocent' WHERE append_id = 590",
        "DELETE FROM events WHERE append_id = 590",
        "DELETE FROM events WHERE append_id = 300",
        "UPDATE events SET payload = '' WHERE append_id = 300",
        "UPDATE log_tiles SET root = sha256(root), hashes = repeat(chr(0), 8192)::bytea WHERE tile = 1",
    ],
)
async def test_what_was_falsified_is_not_exported(falsified: Audited, tmp_path: Path, change: str) -> None:
    await falsified.as_owner(
        "ALTER TABLE events_p000000 DROP CONSTRAINT IF EXISTS says_something",
        change.replace("repeat(chr(0), 8192)::bytea", f"decode('{'00' * 8192}', 'hex')"),
    )
    with pytest.raises(NotExported, match="minos audit verify"):
        await exported(falsified, tmp_path / "bundle")
    assert not (tmp_path / "bundle" / bundle.MANIFEST).exists()


async def test_a_part_changed_on_the_disk_is_noticed(audited: Audited, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "bundle"
    monkeypatch.setattr(export, "PART", 256)
    monkeypatch.setattr(bundle, "PART", 256)

    def interrupt(at: Advance) -> None:
        if at.done > 300:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await export.export(audited.database.app_url, folder, progress=interrupt)
    entries = folder / "tile" / "entries" / "000"
    entries.write_bytes(entries.read_bytes().replace(b'"system"', b'"sysTem"', 1))
    with pytest.raises(NotExported, match="another folder"):
        await exported(audited, folder, resume=True)


async def test_a_log_without_a_checkpoint_is_not_exported(falsified: Audited, tmp_path: Path) -> None:
    await falsified.as_owner("DELETE FROM log_checkpoints")
    with pytest.raises(NotExported, match="not signed a checkpoint"):
        await exported(falsified, tmp_path / "bundle")
