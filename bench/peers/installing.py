"""Installs the peers' programs at the versions their locks name, in a folder of their own that git does not see."""

import asyncio
import hashlib
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.processes import said

SERVERS = Path(__file__).parent / "servers"
_WITHIN_S = 300.0
_LOCKS = ("package-lock.json", "requirements.txt")


class CannotInstall(Exception):
    """A peer's packages could not be had. The message ends with what the installer printed."""


def is_missing(program: str | None) -> bool:
    return program is not None and shutil.which(program) is None


async def install(name: str, into: Path, told: Callable[[str], None]) -> None:
    """Copy a peer's program, and get its packages unless the same ones are there. Raises CannotInstall."""
    home = into / name
    home.mkdir(parents=True, exist_ok=True)
    for file in (SERVERS / name).iterdir():
        if file.is_file():
            shutil.copy(file, home)
    (lock,) = (home / each for each in _LOCKS if (home / each).exists())
    digest, installed = hashlib.sha256(lock.read_bytes()).hexdigest(), home / "installed"
    if installed.exists() and installed.read_text() == digest:
        return
    told(f"installing {name}")
    for command in _commands(lock, home):
        await _run(command, home)
    installed.write_text(digest)


def _commands(lock: Path, home: Path) -> Sequence[Sequence[str]]:
    if lock.name == "package-lock.json":
        return [["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]]
    venv = str(home / "venv")
    if uv := shutil.which("uv"):
        python = f"{venv}/bin/python"
        return [
            [uv, "venv", "--quiet", "--clear", "--python", sys.executable, venv],
            [uv, "pip", "install", "--quiet", "--require-hashes", "--python", python, "-r", str(lock)],
        ]
    return [
        [sys.executable, "-m", "venv", "--clear", venv],
        [f"{venv}/bin/python", "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(lock)],
    ]


async def _run(command: Sequence[str], folder: Path) -> None:
    child = await asyncio.create_subprocess_exec(*command, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
    printed, _ = await said(child, within=_WITHIN_S)
    if child.returncode:
        raise CannotInstall(f"{' '.join(command[:2])} failed for {folder.name}:\n{printed.decode(errors='replace')[-2_000:]}")
