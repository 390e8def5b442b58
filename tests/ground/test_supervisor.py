"""The supervisor: what dies is started again with growing pauses, what cannot start the first time is told, stopping keeps its order."""

import asyncio
import signal

import pytest

from cli import supervisor
from cli.supervisor import Report, State, Supervisor, how_it_ended


class Scripted:
    """A part that fails as many starts as it is told to, and ends when `end` is called."""

    def __init__(self, *, failing_starts: int = 0) -> None:
        self.failing_starts = failing_starts
        self.starts = 0
        self.stops = 0
        self._ended = asyncio.Event()

    @property
    def pid(self) -> int | None:
        return None

    async def start(self) -> None:
        self.starts += 1
        if self.failing_starts and self.starts > 1:
            self.failing_starts -= 1
            raise OSError("not yet")
        self._ended.clear()

    async def exited(self) -> int:
        await self._ended.wait()
        return -signal.SIGKILL

    async def stop(self) -> None:
        self.stops += 1

    def end(self) -> None:
        self._ended.set()


@pytest.fixture
def reports(monkeypatch: pytest.MonkeyPatch) -> list[Report]:
    monkeypatch.setattr(supervisor, "FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(supervisor, "LONGEST_PAUSE_S", 0.01)
    return []


async def until(reports: list[Report], state: State, times: int) -> None:
    async with asyncio.timeout(5):
        while sum(report.state is state for report in reports) < times:
            await asyncio.sleep(0.001)


async def test_a_part_that_ends_is_started_again(reports: list[Report]) -> None:
    part, whole = Scripted(), Supervisor(reports.append)
    await whole.start("part", part)
    for times in range(2, 5):
        part.end()
        await until(reports, State.RUNNING, times)
    await whole.stop([])
    assert part.starts == 4
    assert "killed by SIGKILL" in [report.detail for report in reports if report.state is State.ENDED]


async def test_a_restart_that_fails_is_tried_until_it_works(reports: list[Report]) -> None:
    part, whole = Scripted(failing_starts=3), Supervisor(reports.append)
    await whole.start("part", part)
    part.end()
    await until(reports, State.RUNNING, 2)
    await whole.stop([])
    assert part.starts == 5
    assert sum("not yet" in report.detail for report in reports) == 3


async def test_a_first_start_that_fails_is_the_callers(reports: list[Report]) -> None:
    part, whole = Scripted(failing_starts=1), Supervisor(reports.append)
    part.starts = 1
    with pytest.raises(OSError, match="not yet"):
        await whole.start("part", part)
    await whole.stop([])
    assert part.stops == 1


async def test_groups_stop_one_after_the_other_and_nothing_is_restarted(reports: list[Report]) -> None:
    whole = Supervisor(reports.append)
    parts = {name: Scripted() for name in ("database", "api", "workers", "unnamed")}
    for name, part in parts.items():
        await whole.start(name, part)
    await whole.stop([["api", "workers"], ["database"]])
    stopped = [report.part for report in reports if report.state is State.STOPPED]
    assert set(stopped[:2]) == {"api", "workers"}
    assert stopped[2:] == ["database", "unnamed"]
    assert all(part.starts == 1 for part in parts.values())


@pytest.mark.parametrize(("code", "words"), [(0, "exit code 0"), (-9, "killed by SIGKILL"), (-200, "killed by signal 200")])
def test_an_end_is_told_in_words(code: int, words: str) -> None:
    assert how_it_ended(code) == words
