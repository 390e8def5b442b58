"""Knowing, and knowing that one does not know. Steps without a time of their own are at second 0."""

from collections.abc import Iterator
from typing import Any

from minos_sdk.conformance.making.world import NOW, SID, World, accepts, case, refuses, session
from minos_sdk.jws import from_base64url
from minos_sdk.signal_sets import SNAPSHOT

_UNKNOWN = "revocations_unknown"


def fresh(w: World) -> Iterator[dict[str, Any]]:
    token = w.tokens.user(sid=SID, ttl=36_000)
    yield case("4.9 seconds of silence are late, which counts as fresh", accepts(token, now=NOW + 4.9))
    yield case("5 seconds of silence are blind", refuses(token, _UNKNOWN, now=NOW + 5))
    yield case("blind, with leave to accept for 60 seconds", accepts(token, now=NOW + 60, on_blind=60))
    yield case("blind for longer than that", refuses(token, _UNKNOWN, now=NOW + 60.1, on_blind=60))
    yield case("heartbeats keep it fresh", w.beats(now=NOW + 4), w.beats(now=NOW + 8), accepts(token, now=NOW + 12))
    yield case("blind, and fresh again", refuses(token, _UNKNOWN, now=NOW + 9), w.beats(now=NOW + 10), accepts(token, now=NOW + 10))
    one_of_two = w.beat("access", now=NOW + 4)
    yield case("every class has to be heard of", one_of_two, refuses(token, _UNKNOWN, now=NOW + 6))
    yield case("what is revoked is refused however blind", w.signal(session()), refuses(token, "token_revoked", now=NOW + 30, on_blind=60))
    yield case("what is no good is refused however blind", refuses(token[:-4], now=NOW + 30))


def attacked(w: World) -> Iterator[dict[str, Any]]:
    token = w.tokens.user(sid=SID, ttl=36_000)
    again = [step for now in range(1, 9) for step in w.beats(now=NOW + now, at=NOW)]
    yield case("a heartbeat said again is none", again, refuses(token, _UNKNOWN, now=NOW + 8))
    halted = [w.beat(name, now=NOW + 4, state="halted") for name in ("access", "roles.shop")]
    yield case("a halted feed is not complete", halted, refuses(token, _UNKNOWN, now=NOW + 6))
    catching = [w.beat(name, now=NOW + 4, state="catching_up") for name in ("access", "roles.shop")]
    yield case("a feed that is catching up is not complete", catching, refuses(token, _UNKNOWN, now=NOW + 6))
    more = w.beats(now=NOW + 4, access=1)
    yield case("a heartbeat that knows of a signal which did not come", more, refuses(token, _UNKNOWN, now=NOW + 6))
    after = [w.signal(session("another"), count=2, now=NOW + 4), *w.beats(now=NOW + 4, access=2)]
    yield case("a signal before it did not come", after, refuses(token, _UNKNOWN, now=NOW + 6))
    whole = [w.signal(session("another"), count=n, now=NOW + 3) for n in (2, 1)] + w.beats(now=NOW + 4, access=2)
    yield case("both came, in the wrong order", whole, accepts(token, now=NOW + 6))
    new = w.beats(now=NOW + 4, epoch=2)
    yield case("a stream that began anew and was not read", new, refuses(token, _UNKNOWN, now=NOW + 6))
    read = [w.snapshot(epoch=2, at=NOW + 4), *w.beats(now=NOW + 5, epoch=2)]
    yield case("a stream that began anew and was read", read, accepts(token, now=NOW + 8))
    earlier = [w.snapshot(epoch=2, at=NOW), *w.beats(now=NOW + 4, epoch=1)]
    yield case("heartbeats of an earlier epoch", earlier, refuses(token, _UNKNOWN, now=NOW + 6))
    slowly = [step for beat in range(60) for step in w.beats(now=NOW + 2.5 * (beat + 1), at=NOW + beat + 1)]
    yield case("heartbeats let through ever later", slowly, refuses(token, _UNKNOWN, now=NOW + 151))
    yield case("heartbeats let through slower by a hundredth", _paced(w, 0.99, every=100), refuses(token, _UNKNOWN, now=NOW + 3_001))
    elsewhere = [w.beat("access", now=NOW + 4), w.beat("roles.bank", now=NOW + 4)]
    yield case("the class of another audience stands for none", elsewhere, refuses(token, _UNKNOWN, now=NOW + 6))
    yield case("the end of a session is not forgotten by the clock here", w.signal(session(until=NOW + 60)), _ended(token))


def since(w: World) -> Iterator[dict[str, Any]]:
    """Snapshots of what came behind a place. The verifier knows both classes up to 0."""
    token, late = w.tokens.user(sid=SID, ttl=36_000), NOW + 4
    yield case("what came since, which is nothing", w.since(0, access=0, at=late), accepts(token, now=NOW + 8))
    yield case("what came since", w.since(0, session(), access=1, at=late), refuses(token, "token_revoked", now=late))
    twice = [w.since(0, session("another"), access=1, at=late), w.since(1, session(), access=2, at=late + 1)]
    yield case("what came since twice", *twice, refuses(token, "token_revoked", now=NOW + 6))
    overlapping = [w.since(0, session("another"), access=2, at=late), w.since(1, session("another"), access=2, at=late + 2)]
    yield case("behind less than is known", *overlapping, accepts(token, now=NOW + 10))
    ahead = w.since(1, access=2, at=late, fits=False)
    yield case("behind more than is known", ahead, refuses(token, _UNKNOWN, now=NOW + 6))
    of_roles = w.since(0, access=1, at=late, roles_after=1, fits=False)
    yield case("behind more than is known of one class", of_roles, refuses(token, _UNKNOWN, now=NOW + 6))
    for epoch in (2, 0):
        another = w.since(0, access=1, at=late, epoch=epoch, fits=False)
        yield case(f"behind a place of {'a later' if epoch else 'an earlier'} epoch", another, refuses(token, _UNKNOWN, now=NOW + 6))
    again = [w.since(0, access=0, at=NOW + 1), *({**w.since(0, access=0, at=NOW + 1), "now": NOW + now} for now in (3, 5, 7))]
    yield case("what came since, said again", *again, refuses(token, _UNKNOWN, now=NOW + 7))


def _paced(w: World, pace: float, *, every: int) -> list[dict[str, Any]]:
    """Thirty heartbeats, whose own time goes at another pace."""
    return [step for beat in range(1, 31) for step in w.beats(now=NOW + every * beat, at=NOW + every * beat * pace)]


def _ended(token: str) -> dict[str, Any]:
    return refuses(token, "token_revoked", now=NOW + 3_000, on_blind=3_600)


def clocks(w: World) -> Iterator[dict[str, Any]]:
    token = w.tokens.user(ttl=60)
    ahead = w.beats(now=NOW + 1, at=NOW + 100)
    yield case("a clock here that is behind lets no token live longer", ahead, refuses(token, "token_expired", now=NOW + 1))
    lasting = w.tokens.user(ttl=36_000)
    yield case("a clock there that is slower by a thousandth is no lie", _paced(w, 0.999, every=500), accepts(lasting, now=NOW + 15_001))


def unready(w: World) -> Iterator[dict[str, Any]]:
    token = w.tokens.user()
    yield case("what came since is no snapshot", w.since(0, access=0, at=NOW, fits=False), refuses(token, _UNKNOWN, on_blind=3_600))
    yield case("nothing is accepted before a snapshot", refuses(token, _UNKNOWN), refuses(token, _UNKNOWN, on_blind=3_600))
    yield case("hints make nobody ready", w.signal(session()), refuses(token, _UNKNOWN, on_blind=3_600))
    yield case("a snapshot does", w.snapshot(), accepts(token))
    lacking = w.snapshot() | {
        "snapshot": w.signals.snapshot([], counts={"access": 0, "roles.bank": 0}),
        "expect": {"verdict": "drop"},
    }
    yield case("a snapshot without this audience does not", lacking, refuses(token, _UNKNOWN, on_blind=3_600))
    genuine = w.signals.snapshot([], counts={"access": 0, "roles.shop": 0})
    body = from_base64url(genuine.split(".")[1])
    for name, signed in (
        ("a snapshot under a key for access tokens", w.access.signed(body, typ=SNAPSHOT)),
        ("a snapshot of another type", w.signals_key.signed(body, typ="secevent+jwt")),
        ("a snapshot of another issuer", w.signals_key.signed(body.replace(b"auth.example", b"evil.example"), typ=SNAPSHOT)),
        ("a snapshot without a signature", genuine.rpartition(".")[0] + "."),
    ):
        step = w.snapshot() | {"snapshot": signed, "expect": {"verdict": "drop"}}
        yield case(name, step, refuses(token, _UNKNOWN, on_blind=3_600))
