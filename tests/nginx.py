"""nginx as Debian builds it: the one that is installed, or its package unpacked into a folder of ours, which needs no rights."""

import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from docs.console.authority import ROOT

FOLDER = ROOT / ".tools" / "nginx"
_SECONDS = 60


@lru_cache(maxsize=1)
def found() -> Path | str:
    """Give the program, or why there is none."""
    installed = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    return Path(installed) if installed is not None else fetched(FOLDER)


def fetched(folder: Path) -> Path | str:
    """Unpack Debian's package, once: half a megabyte, and its lists where the machine has none."""
    program = folder / "usr" / "sbin" / "nginx"
    if program.exists():
        return program
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        return "nginx is not installed, and this is no Debian to take it from"
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix=folder.name, dir=folder.parent) as unpacking:
            _unpack(Path(unpacking))
            with suppress(OSError):  # another process of the tests was faster
                Path(unpacking, "unpacked").rename(folder)
    except (OSError, subprocess.SubprocessError, StopIteration) as error:
        return f"nginx is not installed, and its package cannot be had: {error}"
    return program


def _unpack(folder: Path) -> None:
    """Raises OSError, SubprocessError, StopIteration."""
    subprocess.run(["dpkg-deb", "-x", str(_package(folder)), str(folder / "unpacked")], check=True, capture_output=True, timeout=_SECONDS)
    subprocess.run([str(folder / "unpacked" / "usr" / "sbin" / "nginx"), "-v"], check=True, capture_output=True, timeout=_SECONDS)


def _package(folder: Path) -> Path:
    """Raises SubprocessError, StopIteration."""
    if not _apt(folder, "download", "nginx"):
        own = folder / "apt"
        (own / "lists" / "partial").mkdir(parents=True, exist_ok=True)
        state = ("-o", f"Dir::State={own}", "-o", f"Dir::State::lists={own / 'lists'}", "-o", f"Dir::Cache={own}")
        _apt(folder, *state, "update")
        _apt(folder, *state, "download", "nginx")
    return next(folder.glob("nginx_*.deb"))


def _apt(folder: Path, *arguments: str) -> bool:
    """apt as root would hand the download to a user of its own, who may not write here."""
    command = ["apt-get", "-qq", "-o", "APT::Sandbox::User=root", *arguments]
    return subprocess.run(command, cwd=folder, check=False, capture_output=True, timeout=_SECONDS).returncode == 0
