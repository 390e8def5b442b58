"""A distribution of its own: few dependencies in ranges, extras that stay extras, types that come along."""

import subprocess
import sys
import tomllib
from pathlib import Path

import minos_sdk

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
_WITHOUT = "import sys; sys.modules |= dict.fromkeys(['nats', 'fastapi', 'starlette', 'litestar', 'pytest', 'msgspec']); import minos_sdk"


def test_it_is_imported_without_any_extra() -> None:
    subprocess.run([sys.executable, "-c", _WITHOUT], check=True, timeout=60)  # noqa: S603 - our own words


def test_its_dependencies_are_few_and_in_ranges() -> None:
    needed = PROJECT["dependencies"]
    assert {each.partition(">=")[0] for each in needed} == {"httpx", "pyjwt[crypto]"}
    optional = [each for extra in PROJECT["optional-dependencies"].values() for each in extra if not each.startswith("minos-sdk")]
    assert not [each for each in (*needed, *optional) if "==" in each or ">=" not in each]


def test_its_types_come_along_and_all_it_promises_is_there() -> None:
    assert (Path(minos_sdk.__file__).parent / "py.typed").exists()
    assert [name for name in minos_sdk.__all__ if not hasattr(minos_sdk, name)] == []


def test_its_license_comes_along_and_is_that_of_the_project() -> None:
    here = Path(__file__).parents[1] / "LICENSE"
    assert PROJECT["license-files"] == [here.name]
    assert here.read_bytes() == (here.parents[2] / "LICENSE").read_bytes()
