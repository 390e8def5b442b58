"""Programs as Debian builds them: the one that is installed, or its package unpacked into a folder of ours, which needs no rights."""

import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from bench.arguments import HERE

TOOLS = HERE.parent / ".tools"
_SECONDS = 120


@lru_cache(maxsize=8)
def found(package: str, program: str, *, version: str = "--version") -> Path | str:
    """Give the program (`usr/bin/...` within the package), or why there is none. `version`: the option by which it says its own."""
    installed = shutil.which(Path(program).name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    return Path(installed) if installed is not None else fetched(TOOLS / package, package, program, version=version)


def fetched(folder: Path, package: str, program: str, *, version: str = "--version") -> Path | str:
    """Unpack Debian's package, once, and its lists where the machine has none."""
    path = folder / program
    if path.exists():
        return path
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        return f"{package} is not installed, and this is no Debian to take it from"
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix=folder.name, dir=folder.parent) as unpacking:
            unpacked = Path(unpacking, "unpacked")
            _run(["dpkg-deb", "-x", str(_package(Path(unpacking), package)), str(unpacked)])
            _run([str(unpacked / program), version])
            with suppress(OSError):  # another process of the tests was faster
                unpacked.rename(folder)
    except (OSError, subprocess.SubprocessError, StopIteration) as error:
        return f"{package} is not installed, and its package cannot be had: {error}"
    return path


def _run(command: list[str]) -> None:
    """Raises OSError, SubprocessError."""
    subprocess.run(command, check=True, capture_output=True, timeout=_SECONDS)  # noqa: S603 - programs of Debian, by our own names


def _package(folder: Path, package: str) -> Path:
    """Raises SubprocessError, StopIteration."""
    if not _apt(folder, "download", package):
        own = folder / "apt"
        (own / "lists" / "partial").mkdir(parents=True, exist_ok=True)
        state = ("-o", f"Dir::State={own}", "-o", f"Dir::State::lists={own / 'lists'}", "-o", f"Dir::Cache={own}")
        _apt(folder, *state, "update")
        _apt(folder, *state, "download", package)
    return next(folder.glob(f"{package}_*.deb"))


def _apt(folder: Path, *arguments: str) -> bool:
    """apt as root would hand the download to a user of its own, who may not write here."""
    command = ["apt-get", "-qq", "-o", "APT::Sandbox::User=root", *arguments]
    return subprocess.run(command, cwd=folder, check=False, capture_output=True, timeout=_SECONDS).returncode == 0  # noqa: S603
