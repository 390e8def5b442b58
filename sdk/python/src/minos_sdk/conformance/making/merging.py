"""What signals come to, in whatever order and however often they arrive."""

from collections.abc import Iterator
from itertools import permutations
from typing import Any

from minos_sdk.conformance.making.world import (
    NOW,
    OTHER,
    SID,
    USER,
    World,
    accepts,
    case,
    client,
    one,
    refuses,
    role,
    roles,
    session,
    user,
)

_GONE = "token_revoked"


def ended(w: World) -> Iterator[dict[str, Any]]:
    token, other = w.tokens.user(USER, sid=SID), w.tokens.user(USER, sid=OTHER)
    yield case("a session that ended", accepts(token), w.signal(session()), refuses(token, _GONE), accepts(other))
    yield case("a session that ended, told three times", [w.signal(session()) for _ in range(3)], refuses(token, _GONE))
    unnamed = w.tokens.user(USER, sid="s-1")
    yield case("a session whose id is no UUID", w.signal(session("s-1")), refuses(unnamed, _GONE))
    spelled = w.tokens.user(USER, sid=SID.upper())
    yield case("an id in other letters is another id", w.signal(session()), accepts(spelled))
    withdrawn = w.signal(one("key", w.access.kid))
    yield case("a key that was withdrawn", accepts(token), withdrawn, refuses(token, _GONE), accepts(w.tokens_by(w.rsa).user()))
    machine = w.tokens.service(jti="t1")
    yield case("a machine's token that was revoked", w.signal(one("token", "t1")), refuses(machine, _GONE), accepts(w.tokens.service()))
    yield case("an API key that was revoked ends no token", w.signal(one("api_key", "t1")), accepts(machine))
    late = w.tokens.user(sid=SID, ttl=60)
    over = session(until=NOW + 60)
    yield case(
        "a session stays ended while a leeway could let its token in",
        w.signal(over), w.beats(now=NOW + 80, at=NOW + 80), refuses(late, _GONE, now=NOW + 80),
    )  # fmt: skip


def epochs(w: World) -> Iterator[dict[str, Any]]:
    tokens = [w.tokens.user(USER, epoch=epoch) for epoch in range(4)]
    asked = [refuses(tokens[0], _GONE), refuses(tokens[1], _GONE), accepts(tokens[2]), accepts(tokens[3])]
    told = [w.signal(user(epoch)) for epoch in (0, 1, 2)]
    for order in permutations(range(3)):
        yield case(f"the highest epoch counts, told as {order}", [told[at] for at in order], asked)
    yield case("signed out everywhere, and in again within a second", w.signal(user(2)), refuses(tokens[1], _GONE), accepts(tokens[2]))
    yield case("another person's epoch", w.signal(user(9, OTHER)), accepts(tokens[1]))
    named = w.tokens.service(USER)
    yield case("a person's epoch says nothing of a service of the same name", w.signal(user(9)), accepts(named))
    services = [w.tokens.service("billing", epoch=epoch) for epoch in (1, 2)]
    raised = w.signal(client("billing", 2))
    yield case("a service account's epoch", raised, refuses(services[0], _GONE), accepts(services[1]))
    person = w.tokens.user(client_id="billing")
    yield case("a client's epoch says nothing of a person's token", raised, accepts(person))
    gone = w.signal(client("billing"))
    out = [refuses(services[1], _GONE), refuses(person, _GONE)]
    yield case("a deleted client is out, and persons it signed in", gone, out)
    yield case("a deleted client, and an epoch before", raised, gone, out)
    yield case("a deleted client, and an epoch after", gone, w.signal(client("billing", 99)), out)


def narrowed(w: World) -> Iterator[dict[str, Any]]:
    token = w.tokens.user(USER, roles=["admin", "clerk"], roles_version=2)
    lost, given = w.signal(roles(["clerk"], 3)), w.signal(roles(["admin", "clerk", "owner"], 4))
    yield case("a role that was lost", accepts(token, roles=["admin", "clerk"]), lost, accepts(token, roles=["clerk"]))
    yield case("a role that was given later waits for the next token", given, accepts(token, roles=["admin", "clerk"]))
    yield case("the highest version counts, told in order", lost, given, accepts(token, roles=["admin", "clerk"]))
    yield case("the highest version counts, told the other way round", given, lost, accepts(token, roles=["admin", "clerk"]))
    yield case("roles from before the token", w.signal(roles([], 2)), accepts(token, roles=["admin", "clerk"]))
    yield case("roles of another person", w.signal(roles([], 9, user_id=OTHER)), accepts(token, roles=["admin", "clerk"]))
    yield case("roles at another audience", w.signal(roles([], 9, audience="bank")), accepts(token, roles=["admin", "clerk"]))
    yield case("all roles lost", w.signal(roles([], 3)), accepts(token, roles=[], permissions=[]))


def given_by_roles(w: World) -> Iterator[dict[str, Any]]:
    token = w.tokens.user(USER, roles=["admin", "clerk"], roles_version=2)
    clerk, later = w.signal(role("clerk", ["a.read"], 1)), w.signal(role("clerk", ["a.write"], 2))
    admin = w.signal(role("admin", ["*"], 1))
    retired = w.signal(role("admin", [], 2, retired=True))
    yield case("what roles give, in the token's time", clerk, admin, accepts(token, permissions=["*", "a.read"]))
    yield case("a role that nobody defined gives nothing", clerk, accepts(token, roles=["admin", "clerk"], permissions=["a.read"]))
    yield case("what a role gives changes under a token", clerk, accepts(token), later, accepts(token, permissions=["a.write"]))
    yield case("an older definition told later", later, clerk, accepts(token, permissions=["a.write"]))
    yield case("a retired role is held by nobody", clerk, admin, retired, accepts(token, roles=["clerk"], permissions=["a.read"]))
    yield case("a retired role told before its definition", retired, admin, accepts(token, roles=["clerk"], permissions=[]))
    elsewhere = w.signal(role("clerk", ["*"], 9, audience="bank"))
    yield case("what a role gives at another audience", clerk, elsewhere, accepts(token, permissions=["a.read"]))
    service = w.tokens.service(permissions=["b.read"])
    yield case("a service has what its scope says, and no role", admin, accepts(service, permissions=["b.read"], roles=[]))


def lost(w: World) -> Iterator[dict[str, Any]]:
    token, other = w.tokens.user(USER, sid=SID), w.tokens.user(OTHER, sid=OTHER)
    facts = [session(), user(2, OTHER)]
    refused = [refuses(token, _GONE), refuses(other, _GONE)]
    yield case("all lost, then a snapshot", accepts(token), w.snapshot(*facts, access=2, at=NOW + 1), refused)
    yield case("one lost, then a snapshot", w.signal(session()), w.snapshot(*facts, access=2, at=NOW + 1), refused)
    yield case("a snapshot without what a hint told forgets nothing", w.signal(session()), w.snapshot(at=NOW + 1), refuses(token, _GONE))
    older, second = w.snapshot(user(2), at=NOW - 60), w.tokens.user(USER, epoch=2)
    yield case("an older snapshot takes nothing back", w.signal(user(3)), older, refuses(second, _GONE))
