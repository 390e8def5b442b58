"""A plugin of pytest, there wherever this package is installed: `minos_authority`, `minos_clock`, `minos_verifier`."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from minos_sdk.testing.authority import Authority
    from minos_sdk.testing.clock import SettableClock
    from minos_sdk.verifier import Verifier


@pytest.fixture
def minos_authority(request: pytest.FixtureRequest) -> "Authority":
    """An authority in memory; its audience is the ini option `minos_audience`."""
    from minos_sdk.testing.authority import Authority

    return Authority(audience=str(request.config.getini("minos_audience")))


@pytest.fixture
def minos_clock(minos_authority: "Authority") -> "SettableClock":
    """Its clock, which stands still until a test moves it."""
    return minos_authority.clock


@pytest.fixture
def minos_verifier(minos_authority: "Authority") -> "Verifier":
    """A verifier that believes it, ready as it is."""
    return minos_authority.verifier()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("minos_audience", "the audience that minos_authority issues tokens for", default="test")
