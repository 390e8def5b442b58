"""Signals that are good, and what only looks like one: nothing of it may have an effect."""

import json
from collections.abc import Iterator
from typing import Any

from minos_sdk.conformance.making.world import (
    AUDIENCE,
    NOW,
    SID,
    UNTIL,
    USER,
    World,
    accepts,
    case,
    client,
    heard,
    one,
    refuses,
    role,
    roles,
    session,
    user,
    written,
)
from minos_sdk.signal_sets import HEARTBEAT, SET

_KID = "fOYbjrdJqUUyJVTUHpcRz2BhQLZxYCMEUIZbtRGmuDU"
_NOTE = "auth.example/log\n7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n\u2014 auth.example/log AAAAAAAA\n"
"""A checkpoint whose signature a reader of signals does not look at."""


def told(w: World) -> Iterator[dict[str, Any]]:
    """Each kind, durable and as a hint."""
    for fact in (session(), user(2), client("billing", 2), one("key", _KID), one("token", "t1"), one("api_key", "k1")):
        yield case(f"a signal of kind {fact['kind']}", w.signal(fact, count=1))
        yield case(f"a hint of kind {fact['kind']}", w.signal(fact))
    yield case("a signal of kind client, without an epoch", w.signal(client("web"), count=1))
    yield case("a signal of kind roles", w.signal(roles(["clerk"], 2), count=1))
    yield case("a signal of kind role_map", w.signal(role("clerk", ["a.read"], 1), count=1))
    token = w.tokens.user(sid=SID)
    unheard = w.signals.payload(session()) | {"minos": {"kind": "unheard-of", "id": SID, "until": UNTIL}}
    signed = w.signals_key.signed(unheard | {"feed": {"class": "access", "epoch": 1, "count": 1}}, typ=SET)
    yield case("a kind that nobody knows yet changes nothing", heard(signed), accepts(token))
    yield case("a heartbeat", w.beat("access", now=NOW))
    for name, checkpoint in (("the newest checkpoint of the log", _NOTE), ("a checkpoint that is no text", 7)):
        told: dict[str, Any] = {"iss": w.signals.payload(session())["iss"], "iat": NOW, "jti": "b1", "events": {HEARTBEAT: {}}}
        beat = w.signals_key.signed(told | {"feed": _feed() | {"count": 0} | _beating() | {"checkpoint": checkpoint}}, typ=SET)
        yield case(f"a heartbeat with {name}", heard(beat), accepts(token))
    known = session() | {"later": {"more": True}}
    yield case("members that nobody knows yet", w.signal(known, count=1), refuses(token, "token_revoked"))


def forged(w: World) -> Iterator[dict[str, Any]]:
    """Each is followed by the token it was about, which is as good as before."""
    token = w.tokens.user(USER, sid=SID)
    for name, signed in [*_by_others(w), *_wrong(w), *_badly_written(w)]:
        yield case(name, heard(signed, accepted=False), accepts(token))


def _by_others(w: World) -> Iterator[tuple[str, str]]:
    payload, text = w.signals.payload(session()), json.dumps(w.signals.payload(session()))
    yield "a signal under a key for access tokens", w.access.signed(payload, typ=SET)
    yield "a signal under the key for gateways", w.internal_key.signed(payload, typ=SET)
    yield "a signal under an unknown key", w.stranger.signed(payload, typ=SET)
    yield "a signal under an unknown key with a known name", w.stranger.signed(payload, typ=SET, kid=w.signals_key.kid)
    yield "a signal that brings its key", w.stranger.signed(payload, typ=SET, jwk=w.stranger.public_jwk(), kid=w.signals_key.kid)
    yield "a signal with a jku", w.signals_key.signed(payload, typ=SET, jku="https://evil.example")
    yield "a signal with a crit", w.signals_key.signed(payload, typ=SET, crit=["exp"])
    for alg in ("none", "HS256", "RS256"):
        yield f"a signal of algorithm {alg}", w.signals_key.signed(payload, typ=SET, alg=alg)
    for typ in ("at+jwt", "JWT", "SECEVENT+JWT", "minos-snapshot+jwt", "minos-internal+jwt"):
        yield f"a signal of type {typ}", w.signals_key.signed(payload, typ=typ)
    yield "a signal without a type", written(json.dumps({"alg": "ES256", "kid": w.signals_key.kid}), text, w.signals_key)
    yield "a token shown as a signal", w.tokens.user(sid=SID)
    yield "a token's claims as a signal", w.signals_key.signed(w.tokens.user_claims(sid=SID), typ=SET)
    yield "a snapshot shown as a signal", w.signals.snapshot([session()], counts={"access": 1, f"roles.{AUDIENCE}": 0})
    genuine = w.signals.signal(session(), count=1)
    yield "a signal with the signature of another", genuine.rpartition(".")[0] + "." + w.signals.signal(session()).rpartition(".")[2]
    yield "a signal without a signature", genuine.rpartition(".")[0] + "."


def _wrong(w: World) -> Iterator[tuple[str, str]]:
    def signed(without: str = "", **members: Any) -> str:
        payload = w.signals.payload(session()) | members
        return w.signals_key.signed({name: value for name, value in payload.items() if name != without}, typ=SET)

    for iss in ("https://other.example", "https://auth.example/", "", 7):
        yield f"a signal of issuer {iss!r}", signed(iss=iss)
    for name in ("iss", "iat", "jti", "events", "minos"):
        yield f"a signal without {name}", signed(without=name)
    of_tokens: dict[str, Any] = {"sub": USER, "exp": UNTIL, "aud": AUDIENCE}
    for name, value in of_tokens.items():
        yield f"a signal with {name}, as a token has it", signed("", **{name: value})
    yield "a signal of no event", signed(events={})
    yield "a signal of two events", signed(events={"urn:a": {}, "urn:b": {}})
    yield "events that are a list", signed(events=[{"urn:a": {}}])
    yield "a heartbeat that tells a fact", signed(events={HEARTBEAT: {}}, feed=_feed() | _beating())
    for name in ("kind", "id"):
        yield f"a fact without {name}", signed(minos={member: value for member, value in session().items() if member != name})
    for until in ("soon", -1, 1.5, True):
        yield f"a fact until {json.dumps(until)}", signed(minos=session() | {"until": until})
    yield "a fact that is a list", signed(minos=[session()])
    for epoch in ("9", 9.5, True, None, -1):
        yield f"a person's epoch that is {json.dumps(epoch)}", signed(minos=user(1) | {"epoch": epoch})
    yield "roles that are a text", signed(minos=roles([], 9) | {"roles": "admin"})
    yield "a session told among the roles of an audience", signed(feed=_feed() | {"class": f"roles.{AUDIENCE}"})
    yield "roles told among what is about access", signed(minos=roles([], 9), feed=_feed())
    for name in ("class", "epoch", "count"):
        yield f"a place without {name}", signed(feed={member: value for member, value in _feed().items() if member != name})
    yield "a place with a count that is a text", signed(feed=_feed() | {"count": "1"})


def _badly_written(w: World) -> Iterator[tuple[str, str]]:
    header = json.dumps({"alg": "ES256", "kid": w.signals_key.kid, "typ": SET})
    body = json.dumps(w.signals.payload(session()))
    yield "a signal with two facts by the same name", written(header, f'{body[:-1]}, "minos": {json.dumps(user(9))}}}', w.signals_key)
    yield "a signal that is a list", written(header, f"[{body}]", w.signals_key)
    yield "a signal of more than 65,536 characters", w.signals_key.signed(w.signals.payload(session()) | {"x": "x" * 65_536}, typ=SET)
    yield "nothing", ""
    yield "no signal at all", "hello"


def _feed() -> dict[str, Any]:
    return {"class": "access", "epoch": 1, "count": 1}


def _beating() -> dict[str, Any]:
    return {"sequence": 1, "beat": 1, "complete_to": NOW * 1_000_000, "state": "running"}
