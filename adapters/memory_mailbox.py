"""A mailbox that lives as long as its process, with a clock that tests set."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from commands.ports import Budget, Letter


class MemoryMailbox:
    """commands.ports.mail.Mailbox, under the same suite as the one in Postgres."""

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._clock = clock
        self._whole: dict[tuple[str, str], datetime] = {}
        """When each budget will be whole again."""
        self._pending: dict[UUID, tuple[str, datetime]] = {}
        self.asked: list[tuple[Letter, str | UUID]] = []
        self.about: list[UUID | None] = []

    async def ask(
        self,
        letter: Letter,
        *,
        to: str | UUID,
        budgets: Sequence[Budget],
        keep_s: int,  # noqa: ARG002 - nothing here outlives a test
        about: UUID | None = None,
    ) -> int:
        wait_s = await self.spend(budgets)
        if wait_s:
            return wait_s
        self.asked.append((letter, to))
        self.about.append(about)
        return 0

    async def spend(self, budgets: Sequence[Budget]) -> int:
        at, second = self._clock(), timedelta(seconds=1)
        whole = {
            (budget.kind, budget.of): max(self._whole.get((budget.kind, budget.of), at), at) + budget.seconds * second for budget in budgets
        }
        waits = [-((at - whole[b.kind, b.of] + b.most * b.seconds * second) // second) for b in budgets]
        wait_s = max(0, *waits) if waits else 0
        if not wait_s:
            self._whole |= whole
        return wait_s

    async def hold(self, pending_id: UUID, content: str, letter: Letter, *, to: str, budgets: Sequence[Budget], keep_s: int) -> int:
        wait_s = await self.ask(letter, to=to, budgets=budgets, keep_s=keep_s)
        if not wait_s:
            self._pending[pending_id] = (content, self._clock() + timedelta(seconds=keep_s))
        return wait_s

    async def pending(self, pending_id: UUID) -> str | None:
        content, until = self._pending.get(pending_id, (None, self._clock()))
        return content if until > self._clock() else None

    async def forget_pending(self, pending_id: UUID) -> None:
        self._pending.pop(pending_id, None)
