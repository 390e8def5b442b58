"""The first administrator is made once."""

from domain import bootstrap
from domain.bootstrap import BootstrapCompleted
from domain.errors import BootstrapClosed
from tests.domain.examples import ADA, BOB, NOW
from tests.domain.given import given

COMPLETED = BootstrapCompleted(user_id=ADA, at=NOW)


def test_the_first_administrator_closes_the_bootstrap() -> None:
    given(bootstrap.decider).when(bootstrap.complete, user_id=ADA, at=NOW).then(COMPLETED)


def test_a_second_bootstrap_is_refused() -> None:
    given(bootstrap.decider, COMPLETED).when(bootstrap.complete, user_id=BOB, at=NOW).then_refused(BootstrapClosed)
