"""What the SDK costs a service: the check of each request, and the memory of what was revoked."""

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable
from statistics import median
from uuid import uuid4

from bench.processes import resident_mb
from bench.scale import Measuring
from minos_sdk import Verifier
from minos_sdk.facts import SessionEnded
from minos_sdk.testing import Authority
from minos_sdk.token_reader import TokenReader

TOKENS = 256
"""People who are at a service at the same time, with roles that give something."""
AT_ONCE = 4
"""Each is checked so often in a turn; turns with and without revocations take turns."""
TURNS = 24
LIVE = 100_000
"""Revocations that are known meanwhile."""
_UNTIL = 4_000_000_000


async def measure(measuring: Measuring) -> None:
    measuring.told("sdk")
    few = measuring.scale.seconds < 1
    for _ in range(measuring.scale.rounds):
        await _checks(measuring, live=LIVE // 100 if few else LIVE)
    measuring.rounds.add(revocations_mb=await _memory(10_000 if few else 1_000_000))


async def _checks(measuring: Measuring, *, live: int) -> None:
    """All by the same clock and keys. A check without revocations is the reading of a token alone: its digest, its times, its key."""
    authority = Authority(audience="shop")
    authority.feed.define_role("shop", "clerk", ["orders.read"])
    verifier = authority.verifier(remembered=4 * TOKENS)
    for _ in range(live):
        verifier.receiver.merge(SessionEnded(str(uuid4()), _UNTIL))
    tokens = [authority.tokens.user(roles=["clerk"]) for _ in range(TOKENS)]
    reader = TokenReader(issuer=authority.issuer, audience="shop", keys=authority.keys, leeway=30, remembered=4 * TOKENS)
    clock, receiver = authority.clock, verifier.receiver
    new = await _per_token(tokens, verifier.verify)
    for token in tokens:
        reader.known(token, clock.time())
    with_all, without = list[float](), list[float]()
    for _ in range(TURNS):
        with_all.append(_each(tokens, verifier.check))
        without.append(_each(tokens, lambda token: reader.known(token, clock.monotonic() + receiver.wall_offset)))
    known = await _per_token(tokens * AT_ONCE, verifier.verify)
    measuring.rounds.add(
        check_new=new,
        check_known=known,
        check_ratio=median(with_all) / median(without),
        check_after_signal=_after_signals(verifier, tokens),
    )


async def _per_token(tokens: list[str], verify: Callable[[str], Awaitable[object]]) -> float:
    began = time.process_time()
    for token in tokens:
        await verify(token)
    return 1e6 * (time.process_time() - began) / len(tokens)


def _each(tokens: list[str], check: Callable[[str], object]) -> float:
    began = time.process_time()
    for _ in range(AT_ONCE):
        for token in tokens:
            check(token)
    return 1e6 * (time.process_time() - began) / (AT_ONCE * len(tokens))


def _after_signals(verifier: Verifier, tokens: list[str]) -> float:
    """Each check is the first since something was revoked, so that the token is held against all that is known anew."""
    took = 0.0
    for token in tokens:
        verifier.receiver.merge(SessionEnded(str(uuid4()), _UNTIL))
        began = time.process_time()
        verifier.check(token)
        took += time.process_time() - began
    return 1e6 * took / len(tokens)


async def _memory(live: int) -> float:
    """Give the MB (of 10^6 bytes) of a million revocations, as a process of its own grows by them."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "bench.sdk_costs", str(live), stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    return float(out)


def _grow(live: int) -> float:
    verifier = Authority(audience="shop").verifier()
    before = resident_mb(os.getpid())
    for _ in range(live):
        verifier.receiver.merge(SessionEnded(str(uuid4()), _UNTIL))
    return (resident_mb(os.getpid()) - before) * 1_000_000 / live


if __name__ == "__main__":
    print(_grow(int(sys.argv[1])))
