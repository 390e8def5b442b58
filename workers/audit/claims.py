"""The index of names held against the claims: each name leads to a claim that is held, and to whom it is held by.

Which name a claim is of only the index's key can tell: that two names lead to each other's claims is not seen here.
"""

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

import asyncpg

from adapters.postgres import CONNECT_SECONDS
from adapters.postgres_sql import statements
from domain import claim
from domain.claim import Claim, Held
from domain.codec import decode_state
from domain.ids import StreamName
from workers.audit.findings import Finding, Findings, Kind

SQL = statements(Path(__file__).with_suffix(".sql"))

CLAIMS = 5_000
"""Of a page."""
MODEL = "claim_index"
_LAST = "\U0010ffff"
"""Behind every name of a stream."""


class _Page(NamedTuple):
    heads: Sequence[asyncpg.Record]
    names: Sequence[asyncpg.Record]
    last: str | None
    """Where the next one begins; None behind the last."""


async def check_claims(url: str, findings: Findings) -> None:
    """Read heads of claims and the index side by side; heads are held against their events elsewhere. Raises what asyncpg does."""
    connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS)
    try:
        last: str | None = ""
        while last is not None:
            page = await _page(connection, last)
            _check(page, findings)
            last = page.last
    finally:
        await connection.close(timeout=5)


async def _page(connection: "asyncpg.Connection[asyncpg.Record]", after: str) -> _Page:
    """Read both as of one moment."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        heads = await connection.fetch(SQL["heads"], after, CLAIMS)
        last = heads[-1]["stream"] if len(heads) == CLAIMS else None
        return _Page(heads, await connection.fetch(SQL["names"], after, last or _LAST), last)


def _check(page: _Page, findings: Findings) -> None:
    names = {stream: list(rows) for stream, rows in groupby(page.names, itemgetter("stream"))}
    for head in page.heads:
        rows = names.pop(head["stream"], [])
        if head["state"] is not None and head["state_version"] == claim.decider.state_version:
            state: Claim = decode_state(claim.decider, head["state"])
            for words in _faults(state, rows):
                _add(findings, head["stream"], words)
    for stream in names:
        _add(findings, stream, "has a name, and is no claim")


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
