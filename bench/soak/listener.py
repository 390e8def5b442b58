"""A service with the SDK, which listens all the while and notes what it accepted and refused, and how soon."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic

from msgspec import Struct

from bench.machines import told
from bench.running import Running
from minos_sdk import REFUSE, Blind, ClientSecret, InvalidToken, KeysUnavailable, NatsFeed, Revoked, ServiceTokens, Verifier

AUDIENCE = "soak"
PROMISE_S = 15.0
"""Five seconds without a word and it is blind, which refuses all; what it hears may be ten seconds behind (docs/adr, 50)."""
_LOOK_S = 0.05


class Waited(Struct, frozen=True):
    """When something was acknowledged (CLOCK_MONOTONIC), and how many seconds later it was accepted no more."""

    at: float
    seconds: float


@dataclass(slots=True)
class _Watch:
    at: float
    why: str
    role: str | None = None
    """Accepted without it is refused enough. None: whatever it is accepted with is too much."""
    told_late: bool = False


@dataclass(slots=True)
class Listener:
    """`accepted`: answers about tokens that hold; a refusal of one is `wrong`. `blind`: looks at which it knew that it did not know."""

    verifier: Verifier
    waited: list[Waited] = field(default_factory=list[Waited])
    wrong: list[str] = field(default_factory=list[str])
    blind: list[float] = field(default_factory=list[float])
    accepted: int = 0
    _given: list[str] = field(default_factory=list[str])
    _over: dict[str, _Watch] = field(default_factory=dict[str, _Watch])

    @property
    def pending(self) -> int:
        return len(self._over)

    def given(self, token: str) -> None:
        self._given.append(token)

    def ended(self, token: str, why: str) -> None:
        self._over[token] = _Watch(monotonic(), why)

    def role_taken(self, token: str, role: str) -> None:
        self._over[token] = _Watch(monotonic(), "role taken", role)

    async def run(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_S)
            if self.verifier.is_blind:
                self.blind.append(monotonic())
            given, self._given = self._given, []
            for token in given:
                await self._holds(token)
            for token, watch in list(self._over.items()):
                await self._is_refused(token, watch)

    async def _holds(self, token: str) -> None:
        if token in self._over:
            return
        try:
            await self.verifier.verify(token)
        except (Blind, KeysUnavailable):
            return
        except InvalidToken as refused:
            if token not in self._over:  # it may have ended while we asked
                self.wrong.append(f"a service refused a token that holds: {refused}")
        else:
            self.accepted += 1

    async def _is_refused(self, token: str, watch: _Watch) -> None:
        try:
            identity = await self.verifier.verify(token)
        except (Blind, KeysUnavailable):
            return
        except Revoked:
            identity = None
        if identity is None or (watch.role is not None and watch.role not in identity.roles):
            self.waited.append(Waited(watch.at, monotonic() - watch.at))
            if self._over.get(token) is watch:
                del self._over[token]
        elif monotonic() - watch.at > PROMISE_S and not watch.told_late:
            watch.told_late = True
            self.wrong.append(f"a service accepted what was over for {PROMISE_S:.0f} s ({watch.why})")

    def seconds_blind(self, low: float, high: float) -> float:
        return _LOOK_S * sum(low <= at < high for at in self.blind)

    def longest_wait(self, low: float, high: float) -> float:
        return max((each.seconds for each in self.waited if low <= each.at < high), default=0.0)


@asynccontextmanager
async def listening(running: Running) -> AsyncGenerator[Listener]:
    """It would rather refuse everybody than accept what may have been revoked. Raises RuntimeError where no account can be made for it."""
    account = await _account(running)
    async with (
        ServiceTokens(running.url, ClientSecret(account["client_id"], account["client_secret"])) as tokens,
        Verifier(issuer=running.url, audience=AUDIENCE, feed=NatsFeed(running.nats.url, tokens), on_blind=REFUSE) as verifier,
    ):
        await verifier.wait_until_ready()
        listener = Listener(verifier)
        looking = asyncio.create_task(listener.run())
        try:
            yield listener
        finally:
            looking.cancel()
            (ended,) = await asyncio.gather(looking, return_exceptions=True)
            if ended is not None and not isinstance(ended, asyncio.CancelledError):
                raise RuntimeError("the service ended in the middle of the run") from ended


async def _account(running: Running) -> dict[str, str]:
    audiences: Sequence[str] = ("nats", "minos")
    rights = [f"minos.signals.{what}" for what in ("access", f"roles.{AUDIENCE}")]
    given = [part for name in audiences for part in ("--audience", name)] + [part for name in rights for part in ("--permission", name)]
    return await told(running, "service-accounts", "create", "soak", *given)
