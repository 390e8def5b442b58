"""Each border between the folders fails when it is crossed: a contract that cannot break protects nothing."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
IMPORT_LINTER = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
CONTRACTS = {contract["id"]: contract for contract in IMPORT_LINTER["contracts"]}

CROSSINGS = [
    ("domain", "domain", "import adapters"),
    ("domain", "domain", "import commands"),
    ("domain", "domain", "import asyncio"),
    ("domain", "domain", "import time"),
    ("domain", "domain", "import asyncpg"),
    ("commands", "commands", "import adapters"),
    ("commands", "commands", "import projections"),
    ("commands", "commands", "import asyncpg"),
    ("projections", "projections", "import commands"),
    ("projections", "projections", "import adapters"),
    ("adapters", "adapters", "import api"),
    ("adapters", "adapters", "import commands.crossed"),
    ("speakers-and-workers", "api", "import workers"),
    ("speakers-and-workers", "workers", "import api"),
    ("composed", "api", "import cli"),
    ("composed", "workers", "import migrations"),
    ("migrations", "migrations", "import adapters"),
    ("sdk", "minos_sdk", "import domain"),
    ("sdk", "minos_sdk", "import adapters"),
    ("sdk", "minos_sdk", "import msgspec"),
    ("service", "api", "import minos_sdk"),
    ("service", "domain", "import minos_sdk"),
]


@pytest.fixture
def empty_project(tmp_path: Path) -> Path:
    """The project's folders with nothing in them, and its contracts."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for package in IMPORT_LINTER["root_packages"]:
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
    (tmp_path / "commands" / "ports.py").touch()
    (tmp_path / "commands" / "crossed.py").touch()
    return tmp_path


def lint(project: Path) -> subprocess.CompletedProcess[str]:
    argv = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    return subprocess.run(argv, cwd=project, env={"PYTHONPATH": str(project)}, capture_output=True, text=True, timeout=60, check=False)


def broken(output: str) -> set[str]:
    flat = " ".join(output.split())
    return {each for each, contract in CONTRACTS.items() if f"{contract['name']} BROKEN" in flat}


def test_folders_without_imports_keep_every_contract(empty_project: Path) -> None:
    assert lint(empty_project).returncode == 0


def test_adapters_may_import_the_shapes_of_commands(empty_project: Path) -> None:
    (empty_project / "adapters" / "allowed.py").write_text("import commands.ports\n")
    assert lint(empty_project).returncode == 0


@pytest.mark.parametrize(("contract", "package", "line"), CROSSINGS)
def test_a_crossed_border_breaks_its_contract(empty_project: Path, contract: str, package: str, line: str) -> None:
    (empty_project / package / "crossing.py").write_text(line + "\n")
    result = lint(empty_project)
    assert result.returncode == 1
    assert contract in broken(result.stdout)


def test_every_contract_is_shown_to_break() -> None:
    assert {contract for contract, _, _ in CROSSINGS} == set(CONTRACTS)
