"""How much mail there is: one suite for the mailbox in Postgres and the one in memory."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import pytest

from adapters.memory_mailbox import MemoryMailbox
from commands.ports.mail import Budget, Letter, Mailbox
from tests.commands.world import Clock
from tests.mail.conftest import Office

TWO = Budget(kind="two", of="ada", most=2, seconds=600)
FIVE = Budget(kind="five", of="home", most=5, seconds=200)


@dataclass(frozen=True)
class Box:
    mailbox: Mailbox
    let_pass: Callable[[int], Awaitable[None]]
    """Some seconds."""

    async def ask(self, *budgets: Budget) -> int:
        return await self.mailbox.ask(Letter.RESET_PASSWORD, to="ada@example.org", budgets=budgets, keep_s=60)


def in_memory() -> Box:
    clock = Clock()

    async def let_pass(seconds: int) -> None:
        clock.forward(seconds)

    return Box(MemoryMailbox(clock), let_pass)


def in_postgres(office: Office) -> Box:
    async def let_pass(seconds: int) -> None:
        await office.owner.execute("UPDATE mail_budget SET expires_at = expires_at - $1 * interval '1 second'", seconds)

    return Box(office.ports.mailbox, let_pass)


@pytest.fixture(params=["memory", "postgres"])
def box(request: pytest.FixtureRequest) -> Box:
    return in_memory() if request.param == "memory" else in_postgres(request.getfixturevalue("office"))


async def went(box: Box, times: int, budgets: Sequence[Budget]) -> list[bool]:
    return [not await box.ask(*budgets) for _ in range(times)]


async def test_a_budget_gives_what_it_holds_and_says_how_long_the_next_takes(box: Box) -> None:
    assert await went(box, 2, [TWO]) == [True, True]
    assert 300 < await box.ask(TWO) <= 600


async def test_it_refills_bit_by_bit_however_often_it_is_asked_for_in_between(box: Box) -> None:
    await went(box, 2, [TWO])
    for _ in range(3):
        assert await went(box, 4, [TWO]) == [False] * 4
        await box.let_pass(600)
        assert await went(box, 2, [TWO]) == [True, False]


async def test_it_never_holds_more_than_its_most(box: Box) -> None:
    await went(box, 2, [TWO])
    await box.let_pass(10 * 600)
    assert await went(box, 3, [TWO]) == [True, True, False]


async def test_what_is_refused_counts_against_no_other_budget(box: Box) -> None:
    assert await went(box, 30, [FIVE, TWO]) == [True] * 2 + [False] * 28
    assert await went(box, 4, [FIVE]) == [True] * 3 + [False]


async def test_the_longest_wait_is_the_one_that_is_said(box: Box) -> None:
    await went(box, 2, [TWO])
    await went(box, 5, [FIVE])
    assert 300 < await box.ask(FIVE, TWO) <= 600
