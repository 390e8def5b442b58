"""The one question a service asks of a token: is it good here, now? Answered in memory, with what the feed told."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import Self

import httpx

from minos_sdk import given
from minos_sdk.errors import Blind, ExpiredToken, InvalidToken, KeysUnavailable, Revoked
from minos_sdk.facts import Fact
from minos_sdk.feeds.feed import Feed
from minos_sdk.http import OwnedClient, checked_issuer
from minos_sdk.identity import Identity
from minos_sdk.introspected import introspected
from minos_sdk.policies import AcceptUntil, BlindPolicy, Introspect, check_policy
from minos_sdk.ports import Clock, KeySource, StopCalling, clock_of
from minos_sdk.progress import LATE_S, Freshness
from minos_sdk.receiver import Receiver
from minos_sdk.revocations import LONGEST_LEEWAY
from minos_sdk.standstill import tell_of_standstill
from minos_sdk.token_reader import KnownToken, TokenReader, UnknownKey
from minos_sdk.watching import Watch, Watches

log = logging.getLogger("minos_sdk")
_AGAIN_S = 1.0
_ASKED_ABOUT = AcceptUntil(0)
"""Stands for no time at all: the issuer itself is asked about this one token."""


class Verifier:
    """Verifies access tokens of one issuer for one audience, and knows which of them were taken back. For one event loop.

    async with Verifier(issuer="https://auth.example", audience="shop", feed=feed) as verifier:
        identity = await verifier.verify(token)
    """

    def __init__(
        self,
        *,
        issuer: str,
        audience: str,
        feed: Feed,
        on_blind: BlindPolicy = AcceptUntil(60),  # noqa: B008 - frozen
        leeway: int = LONGEST_LEEWAY,
        remembered: int = 16_384,
        keys: KeySource | None = None,
        signal_keys: KeySource | None = None,
        http: httpx.AsyncClient | None = None,
        clock: Clock | None = None,
    ) -> None:
        """`on_blind`: what to do while it is not known what was revoked, where a call says nothing else.

        `leeway`: seconds (30 at most) that clocks may differ by, for `exp`, `nbf` and `iat`. `remembered`: tokens kept in
        memory, 2 kB for each.
        `keys`, `signal_keys`: the issuer's key sets, by default fetched from it. Raises ValueError and TypeError.
        """
        _check(audience, feed, on_blind, leeway, remembered)
        well_known = f"{checked_issuer(issuer)}/.well-known"
        self.issuer, self.audience = issuer, audience
        self.feed = feed
        self._on_blind = on_blind
        self._clock = clock_of(clock)
        self._time, self._monotonic = self._clock.time, self._clock.monotonic
        self._http = OwnedClient(http)
        self._keys = self._http.keys("keys", keys, f"{well_known}/jwks.json", self._clock)
        self._signal_keys = self._http.keys("signal_keys", signal_keys, f"{well_known}/signals-jwks.json", self._clock)
        self.receiver = Receiver(issuer=issuer, audience=audience, keys=self._signal_keys, clock=self._clock)
        self._revocations = self.receiver.revocations
        self._tokens = TokenReader(issuer=issuer, audience=audience, keys=self._keys, leeway=leeway, remembered=remembered)
        self._watches = Watches(self.receiver)
        self._refusals: Counter[str] = Counter()
        self._tasks: list[asyncio.Task[None]] = []

    def check(self, token: str, *, on_blind: BlindPolicy | None = None) -> Identity:
        """Verify without waiting for anything: what `verify` does for all but new keys and introspection.

        Raises InvalidToken, ExpiredToken, Revoked; Blind, KeysUnavailable.
        """
        mono = self._monotonic()
        try:
            known = self._tokens.known(token, mono + self.receiver.wall_offset)
            if known.version != self._revocations.version:
                self._judge(known)
        except InvalidToken as refused:
            self._refusals[refused.reason] += 1
            raise
        if mono >= self.receiver.blind_at:
            self._accept_blind(known, on_blind or self._on_blind, mono)
        return known.identity

    async def verify(self, token: str, *, on_blind: BlindPolicy | None = None) -> Identity:
        """Give who a token speaks for. Raises as `check` does."""
        try:
            return self.check(token, on_blind=on_blind)
        except UnknownKey as unknown:
            await self._keys.find(unknown.kid)
        except KeysUnavailable:
            await self._keys.find("")
        except Blind:
            policy = on_blind or self._on_blind
            if not isinstance(policy, Introspect) or not self.receiver.is_ready:  # before, nobody has told what roles give
                raise
            identity = self.check(token, on_blind=_ASKED_ABOUT)
            identity = await introspected(token, identity, policy.introspector, self._revocations)
            self.check(token, on_blind=_ASKED_ABOUT)  # what was heard meanwhile is newer than the answer
            return identity
        return self.check(token, on_blind=on_blind)

    def _judge(self, known: KnownToken) -> None:
        """Hold a token against all that is known. Raises Revoked; a verdict that it stands is kept with it until something changes."""
        if (refusal := self._revocations.refusal(known.ties)) is not None:
            raise Revoked(reason=f"revoked_{refusal}")
        known.identity = self._revocations.narrowed(known.identity, known.claims, known.ties.user)
        known.version = self._revocations.version

    def _accept_blind(self, known: KnownToken, policy: BlindPolicy, mono: float) -> None:
        """Raises Blind unless the policy accepts at this age, and ExpiredToken where nothing but the clock here says so."""
        if self._time() >= known.ends:
            self._refusals["expired"] += 1
            raise ExpiredToken(reason="expired")
        age = mono - self.receiver.blind_at + LATE_S
        if policy is _ASKED_ABOUT or (isinstance(policy, AcceptUntil) and age <= policy.age):
            return
        self._refusals["blind"] += 1
        raise Blind

    @property
    def freshness(self) -> Freshness:
        return self.receiver.freshness

    @property
    def is_blind(self) -> bool:
        """Whether it is not known what was revoked lately: then nothing may be believed that was found out before."""
        return self._monotonic() >= self.receiver.blind_at

    def ready(self) -> bool:
        """Tell whether keys are there, and all that was revoked has been known at least once."""
        with suppress(KeysUnavailable):
            self._keys.get("")
            return self.receiver.is_ready
        return False

    def on_revoked(self, callback: Callable[[Fact], None]) -> StopCalling:
        """Have `callback` called, in the event loop, with each fact that is news; what it gives back ends that."""
        given.function("callback", callback)
        return self.receiver.on_fact(callback)

    @asynccontextmanager
    async def watching(self, identity: Identity) -> AsyncGenerator[Watch]:
        """Give what is set once the identity is taken back: `await watch.wait()`. Set from the start where it already is."""
        with self._watches.watching(identity) as watch:
            yield watch

    def metrics(self) -> dict[str, float]:
        """Numbers by name, for whatever collects them."""
        numbers: dict[str, float] = {
            "age_seconds": self.freshness.age, "blind": self.is_blind, "ready": self.ready(), "watches": len(self._watches),
            "tokens_remembered": len(self._tokens), "token_hits": self._tokens.hits, "token_misses": self._tokens.misses,
        }  # fmt: skip
        numbers |= {f"entries_{kind}": count for kind, count in self._revocations.entries().items()}
        numbers |= {f"signals_{what}": count for what, count in self.receiver.counts.items()}
        return numbers | {f"refused_{reason}": count for reason, count in self._refusals.items()}

    async def start(self, *, wait: float = 10.0) -> None:
        """Begin to listen, and return when ready, or after `wait` seconds all the same: until it is ready, `verify` raises."""
        given.number("wait", wait)
        if self._tasks:
            return
        self._tasks = [
            asyncio.create_task(_kept_up(run))
            for run in (self._keys.run, self._signal_keys.run, self._hear, lambda: tell_of_standstill(self.receiver))
        ]
        try:
            async with asyncio.timeout(wait):
                await self.wait_until_ready()
        except TimeoutError:
            log.warning("not ready after %g s: %s", wait, "; ".join(self._lacks()))

    async def _hear(self) -> None:
        await self.feed.run(self.receiver, self._http.get())

    def _lacks(self) -> list[str]:
        """Say what keeps this from being ready: what to look for in metrics and in the issuer's log."""
        unheard = [name for name, progress in self.receiver.classes.items() if progress.advanced_at == float("-inf")]
        lacking = [f"signals of class {name} were not heard of in whole" for name in unheard]
        try:
            self._keys.get("")
        except KeysUnavailable:
            lacking.append("the issuer's keys could not be read")
        if self.receiver.trouble.why is not None:
            lacking.append(self.receiver.trouble.why)
        return lacking

    async def wait_until_ready(self) -> None:
        await self.receiver.once_ready.wait()
        while not self.ready():
            await asyncio.sleep(0.02)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        await self._http.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()


def _check(audience: object, feed: object, on_blind: object, leeway: object, remembered: object) -> None:
    given.audience("audience", audience)
    given.able("feed", feed, "run", wanted="what a verifier hears by: NatsFeed(...), SseFeed(...) or PollingFeed(...)")
    check_policy(on_blind)
    given.number("leeway", leeway, most=LONGEST_LEEWAY, why="revocations are not kept for longer than that")
    given.whole("remembered", remembered, least=1, unit="a number of tokens")


async def _kept_up(run: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await run()
        except Exception:  # whatever ends a part, the verifier says that it is blind, and the part begins anew
            log.exception("a part of the verifier ended")
        await asyncio.sleep(_AGAIN_S)
