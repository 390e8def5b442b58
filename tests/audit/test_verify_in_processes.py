"""`minos audit verify` with several processes finds what one finds, also where they fail."""

import os
import signal
from collections.abc import Sequence

import pytest

from tests.audit.conftest import Audited
from workers.audit import lanes
from workers.audit.announced import Announced
from workers.audit.lanes import Done
from workers.audit.stream_pages import Between

USER, SESSION = ("(SELECT {}(stream) FROM heads WHERE stream LIKE '" + category + "-%')" for category in ("user", "session"))
WRONG = (
    f"UPDATE heads SET version = version + 1 WHERE stream = {USER.format('min')}",
    f"DELETE FROM heads WHERE stream = {USER.format('max')}",
    f"UPDATE heads SET state = set_byte(state, 40, get_byte(state, 40) # 1) WHERE stream = {SESSION.format('max')}",
    "INSERT INTO heads SELECT 'session-0', version, state, state_version FROM heads ORDER BY stream LIMIT 1",
)


async def test_the_same_is_found(falsified: Audited) -> None:
    await falsified.as_owner(*WRONG)
    alone, together = await falsified.verify(), await falsified.verify(processes=3)
    assert len(alone.findings) == len(WRONG)
    assert (together.findings, together.counts, together.streams) == (alone.findings, alone.counts, alone.streams)


def _ended(url: str, said: Announced, between: Between) -> Done | None:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError(url, said, between)


def _failed(url: str, said: Announced, between: Between) -> Done | None:
    assert url
    assert said
    assert between
    return None


@pytest.mark.parametrize("fold", [_ended, _failed], ids=["ended", "failed"])
async def test_what_another_process_cannot_do_is_done_here(audited: Audited, monkeypatch: pytest.MonkeyPatch, fold: object) -> None:
    monkeypatch.setattr(lanes, "fold", fold)
    seen: Sequence[object] = (await audited.verify(processes=2)).findings
    monkeypatch.undo()
    assert (seen, (await audited.verify(processes=2)).streams) == ((), (await audited.verify()).streams)
