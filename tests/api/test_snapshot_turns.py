"""Whose turn it is where many ask for documents, and how long anybody waits."""

import asyncio
from collections import Counter

import pytest

from adapters.signal_rows import Completeness, SignalRows
from api.signals_now import SignalsNow
from api.snapshot_lane import Lane, Snapshot
from domain.errors import Overloaded, StoreUnavailable, TooManyWaiting


async def test_attack_caller_who_has_documents_made_so_that_nobody_else_gets_any() -> None:
    """A place of the past is never the same as the one before: each is another document."""
    lane, served = Lane(), list[str]()

    async def ask(caller: str, wanted: int) -> None:
        async with lane.turn(caller, wanted, lambda _: False):
            served.append(caller)
            await asyncio.sleep(0)

    greedy = [asyncio.create_task(ask("greedy", number)) for number in range(20)]
    await asyncio.sleep(0)
    await asyncio.gather(ask("modest", 0), *greedy)
    assert served.index("modest") <= 1


async def test_attack_caller_who_lets_more_and_more_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.snapshot_lane.MOST_WAITING", 1)
    lane = Lane()

    async def ask(caller: str) -> None:
        async with lane.turn(caller, caller, lambda _: False):
            """One turn."""

    async with lane.turn("greedy", 0, lambda _: False):
        waiting = [asyncio.create_task(ask(caller)) for caller in ("greedy", "modest")]
        await asyncio.sleep(0)
        with pytest.raises(TooManyWaiting):
            await ask("greedy")
    await asyncio.gather(*waiting)
    await ask("greedy")


async def test_a_turn_that_does_not_come_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    lane = Lane()
    async with lane.turn("a", 0, lambda _: False):
        monkeypatch.setattr("api.snapshot_lane.WAIT_SECONDS", 0)
        for caller in ("a", "b"):
            with pytest.raises(Overloaded):
                await lane.turn(caller, 1, lambda _: False).__aenter__()
    monkeypatch.undo()
    async with lane.turn("b", 1, lambda _: False) as turn:
        assert turn.made is None


async def test_what_is_there_already_is_waited_for_by_nobody() -> None:
    """However long another document takes."""
    lane, later = Lane(), asyncio.get_running_loop().time() + 60
    document = Snapshot(etag="", body=b"", began=0, as_of=0, reused_until=later)
    async with lane.turn("a", 0, lambda _: True) as turn:
        turn.keep(document)
    async with lane.turn("a", 1, lambda _: True), asyncio.timeout(1), lane.turn("b", 0, lambda _: True) as served:
        assert served.made is document


class Away(SignalRows):
    """A database that is found to be away after a while."""

    def __init__(self) -> None:
        self.asked = Counter[str]()

    async def completeness(self) -> Completeness:
        self.asked["completeness"] += 1
        await asyncio.sleep(0)
        raise StoreUnavailable


async def test_those_who_ask_while_the_database_is_away_do_not_wait_for_one_another() -> None:
    rows = Away()
    now = SignalsNow(rows)
    found = await asyncio.gather(*(now.wait() for _ in range(20)), return_exceptions=True)
    assert {type(each) for each in found} == {StoreUnavailable}
    assert rows.asked["completeness"] <= 2


class Busy(SignalRows):
    """A log that grows with each look, and rows that are always a little behind it."""

    def __init__(self) -> None:
        self.looked = 0

    async def completeness(self) -> Completeness:
        self.looked += 1
        return Completeness(asked_at=self.looked, complete_to=self.looked, epoch=1, size=self.looked, told=self.looked - 3)


async def test_what_is_told_while_the_log_grows_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is a moment when nothing is missing of what there was at the question; there may be none when nothing is missing at all."""
    monkeypatch.setattr("api.signals_now.LOOK_SECONDS", 0)
    rows = Busy()
    assert (await SignalsNow(rows).wait()).complete_to == 1
    assert rows.looked == 4


async def test_rows_of_another_epoch_of_the_log_are_not_what_was_waited_for() -> None:
    of_log = Completeness(asked_at=1, complete_to=1, epoch=1, size=5, told=4)
    assert not Completeness(asked_at=2, complete_to=2, epoch=2, size=9, told=9).has(of_log)
