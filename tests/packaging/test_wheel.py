"""What is built from here is enough: installed alone, as `uv tool install` does it, it runs everything."""

import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

import pytest

from tests.packaging.uv import FOUND, needs_uv

ROOT = Path(__file__).parents[2]
PACKAGES = ("domain", "commands", "projections", "adapters", "api", "workers", "cli", "migrations", "bench")

pytestmark = [needs_uv, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """Not below pytest's own folder, which is closed to the system user that PostgreSQL runs as under root."""
    with TemporaryDirectory(prefix="minos-wheel-") as path:
        Path(path).chmod(0o755)
        yield Path(path)


@pytest.fixture(scope="module")
def built(home: Path) -> Path:
    """A folder with the service's sdist and the wheel made from it, and the same of the SDK."""
    for project in (".", "sdk/python"):
        uv("build", "--quiet", "--out-dir", home / "dist", project)
    return home / "dist"


@pytest.fixture(scope="module")
def locked(home: Path) -> Path:
    """What the lock file says, as constraints."""
    path = home / "locked.txt"
    uv("export", "--quiet", "--frozen", "--all-groups", "--no-emit-project", "--no-emit-package", "minos-sdk", "--no-hashes", "-o", path)
    return path


@pytest.fixture(scope="module")
def programs(home: Path, built: Path, locked: Path) -> Path:
    """The folder of the programs of an environment that has the wheel and what the lock file says it needs."""
    [wheel] = built.glob("minos-*.whl")
    folders = {"UV_TOOL_DIR": str(home / "tools"), "UV_TOOL_BIN_DIR": str(home / "bin")}
    uv("tool", "install", "--quiet", "--python", sys.executable, "--constraints", locked, wheel, **folders)
    return home / "tools" / "minos" / "bin"


def uv(*arguments: str | Path, **settings: str) -> None:
    assert FOUND is not None
    subprocess.run([FOUND, *arguments], cwd=ROOT, env={**os.environ, **settings}, check=True, timeout=120)


def away(home: Path, *command: str | Path) -> str:
    """What a command prints where nothing of the clone can be found."""
    done = subprocess.run(
        command, cwd=home, env={"PATH": "/usr/bin:/bin", "HOME": str(home)}, capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_has_every_file_of_its_packages(built: Path) -> None:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *PACKAGES]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=20)
    [wheel] = built.glob("minos-*.whl")
    packed = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert packed == set(listed.stdout.split())


def test_the_sdist_of_the_sdk_has_its_sources_and_licence(built: Path) -> None:
    [archive] = built.glob("minos_sdk-*.tar.gz")
    with tarfile.open(archive) as packed:
        names = {name.partition("/")[2] for name in packed.getnames()}
    assert {"LICENSE", "README.md", "pyproject.toml", "src/minos_sdk/py.typed", "src/minos_sdk/audit/__main__.py"} <= names


def test_the_sdk_is_usable_alone(home: Path, built: Path, locked: Path) -> None:
    [wheel] = built.glob("minos_sdk-*.whl")
    uv("venv", "--quiet", "--python", sys.executable, home / "sdk")
    uv("pip", "install", "--quiet", "--python", home / "sdk", "--constraints", locked, wheel)
    assert "usage" in away(home, home / "sdk" / "bin" / "python", "-P", "-m", "minos_sdk.audit", "--help")


def test_the_installed_command_runs_everything(home: Path, programs: Path) -> None:
    assert away(home, programs / "minos", "--version").startswith("minos 0.")
    script = shutil.copy(Path(__file__).with_name("installed.py"), home / "installed.py")
    printed = away(home, programs / "python", "-P", script, home / "data", ROOT / "deploy")
    assert printed.count("\n200 ") + printed.startswith("200 ") >= 6
    assert "401 GET /api/v1/auth/session" in printed
    assert "no answer on port" in printed.splitlines()[-1]  # once it was stopped
