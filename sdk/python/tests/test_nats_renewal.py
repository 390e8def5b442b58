"""When a connection to NATS is replaced: ahead of its token's end, whatever the clock here says."""

import pytest

from minos_sdk.feeds.nats_connection import _renewal
from minos_sdk.feeds.nats_login import TokenLogin, _left
from minos_sdk.jws import Malformed


@pytest.mark.parametrize(("now", "left"), [(1_000.0, 300.0), (1_240.0, 60.0), (999.0, 60.0), (1_300.0, 60.0), (9_000.0, 60.0)], ids=str)
def test_a_clock_that_cannot_be_right_is_not_gone_by(now: float, left: float) -> None:
    assert _left(1_000, 1_300, now) == left


@pytest.mark.parametrize(("life", "after"), [(3_600.0, 3_540.0), (300.0, 240.0), (60.0, 40.0), (0.3, 1.0)], ids=str)
def test_a_connection_is_replaced_well_before_its_end(life: float, after: float) -> None:
    assert _renewal(life) == after


class NoToken:
    async def token(self, audience: str) -> str:
        return "opaque"


async def test_what_is_no_access_token_is_no_way_in() -> None:
    with pytest.raises(Malformed):
        await TokenLogin(NoToken()).entry()
