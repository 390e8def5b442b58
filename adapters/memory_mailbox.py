"""A mailbox that lives as long as its process, with a clock that tests set."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from commands.ports import Budget, Letter


class MemoryMailbox:
    """commands.ports.mail.Mailbox, under the same suite as the one in Postgres."""

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._clock = clock
        self._used: dict[tuple[str, str], tuple[int, datetime]] = {}
        self._pending: dict[UUID, tuple[str, datetime]] = {}
        self.asked: list[tuple[Letter, str | UUID]] = []

    async def ask(self, letter: Letter, *, to: str | UUID, budgets: Sequence[Budget], keep_s: int) -> int:  # noqa: ARG002 - nothing here outlives a test
        at = self._clock()
        for budget in budgets:
            used, until = self._used.get((budget.kind, budget.of), (0, at))
            if until <= at:
                used, until = 0, at + timedelta(seconds=budget.seconds)
            self._used[budget.kind, budget.of] = (used + 1, until)
            if used >= budget.most:
                return max(1, -(-(until - at) // timedelta(seconds=1)))
        self.asked.append((letter, to))
        return 0

    async def register(self, pending_id: UUID, content: str, *, to: str, budgets: Sequence[Budget], keep_s: int) -> int:
        wait_s = await self.ask(Letter.FINISH_REGISTRATION, to=to, budgets=budgets, keep_s=keep_s)
        if not wait_s:
            self._pending[pending_id] = (content, self._clock() + timedelta(seconds=keep_s))
        return wait_s

    async def pending(self, pending_id: UUID) -> str | None:
        content, until = self._pending.get(pending_id, (None, self._clock()))
        return content if until > self._clock() else None

    async def forget_pending(self, pending_id: UUID) -> None:
        self._pending.pop(pending_id, None)
