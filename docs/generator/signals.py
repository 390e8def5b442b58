"""`reference/signals.md`: what services are told, from the types that are signed and the document that describes them."""

from collections.abc import Iterator
from typing import Any

import msgspec

from api.asyncapi import ACCESS_FACTS, FACTS, described, tag_of
from api.snapshot_document import SnapshotClass
from api.snapshots import LONGEST_DIFFERENCE
from docs.generator.events import named
from docs.generator.markdown import code, document, one_line, table
from domain.signals.facts import EventType

_INTRODUCTION = """
What services elsewhere are told: facts that make a token, or a part of it, worth nothing. [How a revocation
travels](../explanation/signals.md) says why they can come in any order; [`asyncapi.json`](asyncapi.json), which the API serves
at `/asyncapi.json`, has all of this for machines.

Each is a SET ([RFC 8417](https://www.rfc-editor.org/rfc/rfc8417)): a JWS of type `secevent+jwt`, ES256, under a key of
`/.well-known/signals-jwks.json`, which signs no token. It has `iss`, `jti` (the same each time this fact is told), `iat` (when
it was signed), `txn` (the request that caused it), `sub_id` ([RFC 9493](https://www.rfc-editor.org/rfc/rfc9493)), one entry in
`events`, the fact as `minos`, and where it stands in its class as `feed`: `class`, `epoch`, and `count`, dense from 1. It never
has `sub`, `exp` or `aud`, so it passes for no token.
"""
_HEARTBEAT = """
Once a second and class, also where nothing happens: a SET whose one event is `urn:minos:event:heartbeat`, without `minos`. Its
`feed` says of the class what follows. `checkpoint` is there in class `access` once the log has one: a signed note, as
`log.v1.checkpoint` has it, with which [every SDK is a small witness](../how-to/witness-a-log.md#watch-a-log-from-a-service).
"""
_HTTP = """
Both need the permission `minos.signals.access`, and `minos.signals.roles.<audience>` besides where `audience` is asked for; a
service account needs audience `minos` among its own. [How to follow without NATS](../how-to/follow-without-nats.md).

`GET /api/v1/signals/snapshot?audience=` answers `application/jwt`: a JWS of type `minos-snapshot+jwt` under the same keys. Its
payload has `iss`, `iat`, `complete_to` (as in a heartbeat), `facts` (each as in `minos` above) and `classes`, of each:

{classes}

`after` is there where the question had it (`?after=<class>:<epoch>:<count>` of each class, joined by commas, as in the `id`
below): the facts are those behind that count, and no use to who does not know what comes before. A document of all comes
nevertheless where a class is of another epoch, or more than {most} signals are lacking. It may be some seconds old where making it
takes long: `Age` has its seconds; take it in, and ask with `after` for what came since.

Its `ETag` is of what is in it, where it is one of all. A 304 has the signed heartbeat of each class in `Minos-Heartbeat`,
separated by commas: they say up to when nothing was added, and a 304 without them says nothing.

`GET /api/v1/signals/stream?audience=` is a stream of server-sent events:

{events}

The `id` of an event is `<class>:<epoch>:<count>` of each class, joined by commas: all up to there was sent. `Last-Event-ID`, or
`after` for a first request, goes on behind it. Counts have gaps here, where a newer fact took another's place; a heartbeat
comes once all it counts has been sent. Another epoch than that, or a count that there is not, is announced by a
heartbeat and sent from its start: keep what you know, and take everything in again, or take a snapshot and come back behind it.
"""


def page() -> str:
    return document(
        "Signals", _INTRODUCTION, "## Facts", *(_fact(fact) for fact in FACTS), "## Heartbeats", _HEARTBEAT, _fields("Beat"),
        "## Events of SETs", table(["`events`"], ([code(each)] for each in EventType)),
        "## On NATS", table(["Subject", "What is on it", "Messages"], _channels()),
        "## Over HTTP", _over_http(),
    )  # fmt: skip


def _over_http() -> str:
    events = table(["`event`", "`data`"], _EVENTS)
    return _HTTP.format(most=f"{LONGEST_DIFFERENCE:,}", classes=_of(SnapshotClass), events=events)


_EVENTS = (
    ("`signal`", "a SET of a fact"),
    ("`heartbeat`", "a SET as above; `sequence` is 0, since there is no stream of messages it could be of"),
    (
        "`end`",
        '`{"code": ...}`: the token has ended (`invalid_token`), the right is gone (`permission_denied`), or `store_unavailable`',
    ),
)


def _fact(fact: type[msgspec.Struct]) -> str:
    of_class = "access" if fact in ACCESS_FACTS else "roles.<audience>"
    members = _of(fact, ("`kind`", code(tag_of(fact))))
    return "\n\n".join((f"### {tag_of(fact)}", f"Class `{of_class}`. {one_line(fact.__doc__)}", members))


def _of(kind: type[msgspec.Struct], *first: tuple[str, str]) -> str:
    members = ((code(field.encode_name), named(field.type)) for field in msgspec.structs.fields(kind))
    return table(["Member", "Type"], [*first, *members])


def _fields(name: str) -> str:
    schema: dict[str, Any] = described()["components"]["schemas"][name]
    said = _BEAT
    return table(
        ["Member", "Type", ""], ((code(member), str(of["type"]), said.get(member, "")) for member, of in schema["properties"].items())
    )


_BEAT = {
    "class": "`access` or `roles.<audience>`",
    "epoch": "rises when everything is told anew; then begin at the start",
    "count": "of the newest fact",
    "sequence": "of the newest message in the class's stream on NATS",
    "beat": "rises by one each time",
    "complete_to": "microseconds since 1970 by the database's clock: every commit before is told",
    "state": "`running`; `halted`: an operator is needed; `catching_up`",
}


def _channels() -> Iterator[tuple[str, str, str]]:
    for channel in described()["channels"].values():
        if channel["servers"] == [{"$ref": "#/servers/nats"}] and not channel["address"].startswith("minos."):
            yield code(channel["address"]), channel["description"], ", ".join(map(code, channel["messages"]))
