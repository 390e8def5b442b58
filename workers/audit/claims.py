"""The index of names held against the claims: each name leads to a claim that is held, and to whom it is held by.

Which name a claim is of only the index's key can tell: that two names lead to each other's claims is not seen here.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

import asyncpg
import msgspec

from adapters.postgres import CONNECT_SECONDS
from adapters.postgres_connect import connect
from adapters.postgres_sql import statements
from domain import claim
from domain.claim import Claim, ClaimEvent, Held
from domain.codec import decode_event, decode_state
from domain.errors import UnknownEventTag
from domain.ids import StreamName
from workers.audit.findings import Finding, Findings, Kind

SQL = statements(Path(__file__).with_suffix(".sql"))

CLAIMS = 5_000
"""Of a page."""
MODEL = "claim_index"
_FIRST, _LAST = "claim-", "claim."
"""Before and behind every name of a claim's stream."""
_NO_CLAIM = "has a name, and is no claim"


class _Page(NamedTuple):
    heads: Sequence[asyncpg.Record]
    names: Sequence[asyncpg.Record]
    told: Mapping[str, Sequence[ClaimEvent]]
    """The events of those whose state is of another version: what the service folds, too."""
    last: str | None
    """Where the next one begins; None behind the last."""


async def check_claims(url: str, findings: Findings) -> None:
    """Read heads of claims and the index side by side; heads are held against their events elsewhere. Raises what asyncpg does."""
    connection = await connect(url, timeout=CONNECT_SECONDS)
    try:
        last: str | None = ""
        while last is not None:
            page = await _page(connection, last)
            _check(page, findings)
            last = page.last
        for row in await connection.fetch(SQL["strays"]):
            _add(findings, row["stream"], _NO_CLAIM)
    finally:
        await connection.close(timeout=5)


async def _page(connection: "asyncpg.Connection[asyncpg.Record]", after: str) -> _Page:
    """Read both as of one moment."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        heads = await connection.fetch(SQL["heads"], after, CLAIMS)
        last = heads[-1]["stream"] if len(heads) == CLAIMS else None
        names = await connection.fetch(SQL["names"], max(after, _FIRST), last or _LAST)
        stale = [head["stream"] for head in heads if not _is_current(head)]
        events = await connection.fetch(SQL["events"], stale) if stale else []
        told = {stream: _events(rows) for stream, rows in groupby(events, itemgetter("stream"))}
        return _Page(heads, names, told, last)


def _is_current(head: asyncpg.Record) -> bool:
    return head["state"] is not None and head["state_version"] == claim.decider.state_version


def _events(rows: Iterable[asyncpg.Record]) -> Sequence[ClaimEvent]:
    """Nothing of a stream in which something cannot be read: that is told where all streams are folded."""
    try:
        events = [decode_event(row["type"], row["payload"]) for row in rows]
    except (UnknownEventTag, msgspec.MsgspecError):
        return ()
    return [event for event in events if isinstance(event, ClaimEvent)]


def _check(page: _Page, findings: Findings) -> None:
    names = {stream: list(rows) for stream, rows in groupby(page.names, itemgetter("stream"))}
    for head in page.heads:
        rows = names.pop(head["stream"], [])
        state = _state(head, page.told.get(head["stream"], ()))
        for words in () if state is None else _faults(state, rows):
            _add(findings, head["stream"], words)
    for stream in names:
        _add(findings, stream, _NO_CLAIM)


def _state(head: asyncpg.Record, events: Sequence[ClaimEvent]) -> Claim | None:
    """None where part of its events is not there."""
    if _is_current(head):
        return decode_state(claim.decider, head["state"])
    return claim.decider.fold(events) if len(events) == head["version"] else None


def _faults(state: Claim, rows: Sequence[asyncpg.Record]) -> Sequence[str]:
    if not isinstance(state, Held):
        return ["has a name, and holds none any more"] if rows else []
    if not rows:
        return ["holds a name, and none leads to it"]
    faults = [f"is held by {state.user_id}, and its name leads to {holder}" for holder in {row["holder"] for row in rows} - {state.user_id}]
    if len({row["index_version"] for row in rows}) < len(rows):
        faults.append("has several names under one key")
    return faults


def _add(findings: Findings, stream: str, words: str) -> None:
    said = f"in {MODEL}, {stream} {words}"
    findings.add(Finding(kind=Kind.READ_MODEL_DIFFERS, words=said, stream=StreamName(stream), model=MODEL))
