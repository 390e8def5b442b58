"""`./minos` from a clone: any folder, any current folder, and what it passes on."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOBODY = 65_534


def clone(target: Path) -> Path:
    """The wrapper with a stand-in for what it installs: a `minos` and a `python` that say how they were called."""
    (target / ".venv" / "bin").mkdir(parents=True)
    for name in ("minos", "pyproject.toml", "uv.lock"):
        shutil.copy(ROOT / name, target)
    for name in ("minos", "python"):
        program = target / ".venv" / "bin" / name
        program.write_text(f'#!/bin/sh\necho {name} "$(pwd)" "$@"\n')
        program.chmod(0o755)
    return target


def stamp(target: Path, kind: str) -> None:
    content = f"{target}\n{(target / 'pyproject.toml').read_text()}{(target / 'uv.lock').read_text()}"
    (target / ".venv" / f"minos-{kind}.stamp").write_text(content)


def run(target: Path, *arguments: str, cwd: Path, path: str = "/usr/bin:/bin", **settings: str) -> subprocess.CompletedProcess[str]:
    argv = [target / "minos", *arguments]
    environ = {"PATH": path, "HOME": str(cwd), **settings}
    return subprocess.run(argv, cwd=cwd, env=environ, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def fake_uv(tmp_path: Path) -> Path:
    """A folder for the path with a `uv` that writes down how it was called."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "uv").write_text(f'#!/bin/sh\necho "$@" >> "{tmp_path}/uv-calls"\n')
    (folder / "uv").chmod(0o755)
    return folder


def test_it_passes_on_with_the_current_folder_and_spaces_kept(tmp_path: Path) -> None:
    target = clone(tmp_path / "my clone")
    stamp(target, "run")
    done = run(target, "up", "a b", cwd=tmp_path)
    assert done.stdout == f"minos {tmp_path} up a b\n"
    assert done.returncode == 0


def test_it_works_through_a_link(tmp_path: Path) -> None:
    target = clone(tmp_path / "clone")
    stamp(target, "run")
    (tmp_path / "minos").symlink_to(target / "minos")
    assert run(tmp_path, "settings", cwd=Path("/")).stdout == "minos / settings\n"


@pytest.fixture
def told(tmp_path: Path) -> Path:
    """A clone whose `minos` tells the data folder it was given."""
    target = clone(tmp_path / "my clone")
    stamp(target, "run")
    (target / ".venv" / "bin" / "minos").write_text('#!/bin/sh\necho "${MINOS_DATA_DIR:-none}"\n')
    return target


def test_its_data_are_the_clones_wherever_it_is_called_from(tmp_path: Path, told: Path) -> None:
    (tmp_path / "minos").symlink_to(told / "minos")
    called = [run(told, "up", cwd=told), run(told, "users", "list", cwd=tmp_path), run(tmp_path, "users", "list", cwd=Path("/"))]
    assert [done.stdout for done in called] == [f"{told}/.minos\n"] * 3


def test_a_data_folder_that_was_chosen_is_left_as_it_was(tmp_path: Path, told: Path) -> None:
    assert run(told, "up", cwd=tmp_path, MINOS_DATA_DIR="mine").stdout == "mine\n"
    assert run(told, "up", cwd=tmp_path, MINOS_DATA_DIR_FILE="where").stdout == "none\n"
    (tmp_path / ".env").write_text("# MINOS_DATA_DIR=not-yet\n")
    assert run(told, "up", cwd=tmp_path).stdout == f"{told}/.minos\n"
    (tmp_path / ".env").write_text("export MINOS_DATA_DIR=mine\n")
    assert run(told, "up", cwd=tmp_path).stdout == "none\n"


def test_test_runs_pytest_in_the_clone_with_the_arguments_given(tmp_path: Path) -> None:
    target = clone(tmp_path / "clone")
    stamp(target, "test")
    assert run(target, "test", "-k", "one thing", cwd=tmp_path).stdout == f"python {target} -m pytest -k one thing\n"


def test_test_without_arguments_runs_all_of_them_with_a_process_more_than_cores(tmp_path: Path) -> None:
    target = clone(tmp_path / "clone")
    stamp(target, "test")
    processes = f"--hypothesis-profile=whole --numprocesses={len(os.sched_getaffinity(0)) + 1} --maxprocesses=4"
    assert run(target, "test", cwd=tmp_path).stdout == f"python {target} -m pytest {processes} --dist=worksteal\n"


def test_it_installs_once_and_again_when_the_lock_changes(tmp_path: Path, fake_uv: Path) -> None:
    target = clone(tmp_path / "clone")
    path = f"{fake_uv}:/usr/bin:/bin"
    for _ in range(3):
        assert run(target, "up", cwd=tmp_path, path=path).returncode == 0
    calls = (tmp_path / "uv-calls").read_text().splitlines()
    assert calls == [f"sync --quiet --frozen --inexact --no-dev --project {target}"]
    with (target / "uv.lock").open("a") as lock:
        lock.write("# changed\n")
    run(target, "up", cwd=tmp_path, path=path)
    assert len((tmp_path / "uv-calls").read_text().splitlines()) == 2


def test_an_environment_that_is_there_is_not_made_anew_for_another_python(tmp_path: Path) -> None:
    target = clone(tmp_path / "clone")
    own = target / ".tools" / "uv" / "bin" / "uv"
    own.parent.mkdir(parents=True)
    own.write_text(f'#!/bin/sh\necho "${{UV_PYTHON-the one there}}" >> "{tmp_path}/asked"\n')
    own.chmod(0o755)
    assert run(target, "up", cwd=tmp_path).returncode == 0
    shutil.rmtree(target / ".venv")
    run(target, "up", cwd=tmp_path)
    there, new = (tmp_path / "asked").read_text().splitlines()
    assert there == "the one there"
    assert Path(new).name.startswith("python3")


def test_a_moved_clone_is_installed_anew(tmp_path: Path, fake_uv: Path) -> None:
    target = clone(tmp_path / "clone")
    stamp(target, "run")
    moved = target.rename(tmp_path / "moved")
    run(moved, "up", cwd=tmp_path, path=f"{fake_uv}:/usr/bin:/bin")
    assert not (moved / ".venv" / "bin" / "minos").exists()
    assert "sync" in (tmp_path / "uv-calls").read_text()


def test_a_failed_install_says_so_and_exits_2(tmp_path: Path, fake_uv: Path) -> None:
    target = clone(tmp_path / "clone")
    (fake_uv / "uv").write_text("#!/bin/sh\nexit 1\n")
    done = run(target, "up", cwd=tmp_path, path=f"{fake_uv}:/usr/bin:/bin")
    assert done.returncode == 2
    assert "uv sync failed" in done.stderr


@pytest.mark.parametrize("installed", [True, False], ids=["after a pull", "for the first time"])
def test_another_user_than_who_installed_it_is_told_so(installed: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:  # not below what pytest makes, where others may not even look
        target = clone(Path(folder) / "clone")
        if not installed:
            shutil.rmtree(target / ".venv")
        for place in (Path(folder), target, target / ".venv"):
            if place.exists():
                place.chmod(0o555)
        argv, environ, other = [target / "minos", "up"], {"PATH": "/usr/bin:/bin", "HOME": folder}, NOBODY if os.getuid() == 0 else None
        done = subprocess.run(argv, env=environ, user=other, group=other, capture_output=True, text=True, timeout=60, check=False)
        for place in (Path(folder), target, target / ".venv"):
            if place.exists():
                place.chmod(0o755)
    said = f"minos: what {target} needs has changed: let its owner run ./minos once\n"
    assert (done.returncode, done.stderr) == (2, said)


def test_without_a_python_it_says_what_is_needed(tmp_path: Path) -> None:
    target = clone(tmp_path / "clone")
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("sh", "readlink", "dirname", "cat", "cmp", "head"):
        (tools / name).symlink_to(shutil.which(name) or name)
    done = run(target, "up", cwd=tmp_path, path=str(tools))
    assert done.returncode == 2
    assert "Python 3.11 or newer is needed" in done.stderr


def test_it_is_small_and_any_posix_shell_reads_it() -> None:
    assert len((ROOT / "minos").read_text().splitlines()) <= 60
    assert os.access(ROOT / "minos", os.X_OK)
    for shell in ("dash", "bash"):
        if shutil.which(shell):
            subprocess.run([shell, "-n", ROOT / "minos"], check=True, timeout=10)
