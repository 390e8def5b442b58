"""The loop: read on, send what is due, rest. Any number may run.

Killed between a server's yes and our mark, a mailer leaves a mail that goes out once more, a minute later, under the
same Message-ID. Nothing that was asked for is ever lost: it is in the ledger until it was sent, refused for good, or of no use.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic

import structlog

from adapters.mail.message import message
from adapters.mail.post import Post, TryLater, Undeliverable
from adapters.sealing import SealBroken
from domain.errors import InvalidEmail, StoreUnavailable
from workers.hints import Hint
from workers.mailer.composing import compose
from workers.mailer.ledger import Due, Figures, Ledger, MailState
from workers.mailer.writing import Desk

AT_ONCE = 8
"""Mails handed over at the same time, each over a connection of its own."""
PACE_SECONDS = 0.25
FULL_SECONDS = 0.05
"""Between full steps: at most some 150 mails a second, so that nothing else on the machine waits for them."""
IDLE_SECONDS = 1.0
FIGURES_SECONDS = 5.0

log = structlog.stdlib.get_logger()


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of one mail, and how long that took. `reason` is a slug; None where it was sent."""

    letter: str
    state: MailState
    reason: str | None = None
    seconds: float = 0.0


class Mailer:
    """Without a `post` nothing is sent: letters are dropped, and the ledger says so."""

    def __init__(
        self,
        url: str,
        post: Post | None,
        desk: Desk,
        *,
        hint: Hint | None = None,
        settled: Callable[[Settled], None] = lambda _: None,
        observe: Callable[[Figures], None] = lambda _: None,
    ) -> None:
        self.hint = Hint() if hint is None else hint
        self._ledger = Ledger(url)
        self._post = post
        self._desk = desk
        self._settled = settled
        self._observe = observe
        self._writing = asyncio.Lock()

    async def run(self, stop: asyncio.Event) -> None:
        """Go on until `stop` is set. Raises StoreUnavailable: call it again then."""
        figures_at = 0.0
        try:
            while not stop.is_set():
                self.hint.clear()
                read = await self._ledger.turn()
                sent = await self.deliver()
                if monotonic() >= figures_at:
                    self._observe(await self._ledger.figures())
                    figures_at = monotonic() + FIGURES_SECONDS
                await asyncio.sleep(PACE_SECONDS if sent < AT_ONCE else FULL_SECONDS)
                if not read and not sent:
                    await self.hint.within(IDLE_SECONDS)
        finally:
            await self.close()

    async def turn(self) -> bool:
        return await self._ledger.turn()

    async def deliver(self) -> int:
        """Send what is due, at most AT_ONCE; gives how many that were."""
        taken = await self._ledger.take(AT_ONCE)
        results = await asyncio.gather(*(self._hand_over(due) for due in taken), return_exceptions=True)
        _raise_first(results)
        return len(taken)

    async def close(self) -> None:
        await self._ledger.close()

    async def _hand_over(self, due: Due) -> None:
        """Send one mail and note what became of it; whatever is wrong with it is no other's fault."""
        began = monotonic()
        try:
            state, reason = await self._sent(due)
        except StoreUnavailable:
            raise
        except (TryLater, InvalidEmail, SealBroken) as error:
            await self._put_off(due, error.reason if isinstance(error, TryLater) else "address_unusable")
            return
        except Exception as error:  # a letter's edge: the others go out
            log.exception("mail_not_written", type=due.letter, attempt=due.attempts, error_type=type(error).__name__)
            await self._put_off(due, "not_written")
            return
        async with self._writing:
            await self._ledger.settle(due, state, reason)
        self._settled(Settled(due.letter, state, reason, monotonic() - began))

    async def _sent(self, due: Due) -> tuple[MailState, str | None]:
        if due.too_late:
            return MailState.FAILED, "too_late"
        if self._post is None:
            return MailState.DROPPED, "mail_is_off"
        mail = await compose(due, self._desk)
        if mail is None:
            return MailState.DROPPED, "nothing_to_say"
        try:
            await self._post.send(message(mail))
        except Undeliverable as refused:
            return MailState.FAILED, refused.reason
        return MailState.SENT, None

    async def _put_off(self, due: Due, reason: str) -> None:
        log.warning("mail_put_off", type=due.letter, attempt=due.attempts, reason=reason)
        async with self._writing:
            again = await self._ledger.put_off(due, reason)
        if not again:
            self._settled(Settled(due.letter, MailState.FAILED, reason))


def _raise_first(results: Sequence[BaseException | None]) -> None:
    for result in results:
        if isinstance(result, BaseException):
            raise result
