"""What is particular to a folder."""

import asyncio
import sys
from pathlib import Path

import pytest

from adapters import settings_source
from adapters.second_place import FolderPlace, PlaceAway, folder, open_second_place

HOLD = """
import fcntl, os, sys
fcntl.flock(os.open(sys.argv[1], os.O_RDWR | os.O_CREAT), fcntl.LOCK_EX)
print("held", flush=True)
input()
"""


async def test_nobody_else_of_this_machine_may_look(tmp_path: Path) -> None:
    place = FolderPlace(tmp_path / "kept")
    await place.put("erased/a", b"", expect=None)
    modes = {path.stat().st_mode & 0o077 for path in [tmp_path / "kept", *(tmp_path / "kept").rglob("*")]}
    assert modes == {0}


async def test_a_scratch_file_of_a_crash_is_nothing(tmp_path: Path) -> None:
    place = FolderPlace(tmp_path)
    await place.put("erased/b", b"", expect=None)
    (tmp_path / "erased" / ".a").write_bytes(b"half")
    assert await place.get("erased/a") is None
    assert list(await place.names("erased/")) == ["erased/b"]
    await place.put("erased/a", b"whole", expect=None)
    assert (tmp_path / "erased" / "a").read_bytes() == b"whole"


async def test_a_folder_that_cannot_be_written_to_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(PlaceAway, match="file"):
        await FolderPlace(tmp_path / "file").put("a", b"", expect=None)


async def test_another_process_is_waited_for_and_not_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "LOCK_SECONDS", 0.1)
    place = FolderPlace(tmp_path)
    arguments = (sys.executable, "-c", HOLD, str(tmp_path / ".lock"))
    other = await asyncio.create_subprocess_exec(*arguments, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    assert other.stdin is not None
    assert other.stdout is not None
    await other.stdout.readline()
    with pytest.raises(PlaceAway, match="locked"):
        await place.put("a", b"", expect=None)
    other.stdin.close()
    await other.wait()
    await place.put("a", b"", expect=None)


async def test_the_folder_is_that_of_the_settings(tmp_path: Path) -> None:
    given = settings_source.load({"MINOS_SECOND_PLACE": "elsewhere"}, tmp_path).settings
    await open_second_place(given).put("a", b"", expect=None)
    assert (tmp_path / "elsewhere" / "a").exists()
    assert Path(settings_source.load({}, tmp_path).settings.second_place) == tmp_path / ".minos" / "second-place"
    assert Path(given.second_place).is_absolute()
