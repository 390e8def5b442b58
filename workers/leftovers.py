"""What is left of somebody: looked for in every place that could hold something, not believed of what was meant to delete it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import asyncpg
import msgspec
from msgspec import Struct

from adapters.postgres_sql import statements
from commands.ports import Ports, Vault
from commands.transact import Read, read_states
from domain import attributes, codec, factors, invitation, password_reset, user
from domain.codec import SEALED_FIELDS
from domain.event import Erased as Unreadable
from domain.event import Sealed
from domain.ids import StreamName, UserId
from domain.user import Erased, User
from projections.catalogue import ALL
from projections.projection import Entity
from projections.reading import ReadModels
from projections.user_history import user_history

SQL = statements(Path(__file__).with_suffix(".sql"))
COUNTED = ("command_results", "mail_ledger", "sign_in_attempts", "sign_in_facts", "sign_in_networks", "last_used")
"""Tables outside the log and the read models that know of somebody."""


class Leftovers(Struct, frozen=True, kw_only=True):
    """All of it is 0 where nothing is left. `events`, `fields`: how many were looked at, and tried to open."""

    user_id: UserId
    keys: int
    fields_that_open: int
    heads_with_sealed: int
    rows: Mapping[str, int]
    """Of each table, those that are theirs."""
    events: int
    fields: int

    @property
    def is_nothing(self) -> bool:
        return not (self.keys or self.fields_that_open or self.heads_with_sealed or any(self.rows.values()))


async def leftovers(user_id: UserId, models: ReadModels, pool: "asyncpg.Pool[asyncpg.Record]", ports: Ports) -> Leftovers:
    """Look everywhere. Journals keep their rows, of ids and of what no key opens. Raises StoreUnavailable."""
    streams, subjects = await _streams(user_id, models, ports)
    opened, events, fields = 0, 0, 0
    for record in await pool.fetch(SQL["sealed_events"], streams):
        events += 1
        for field, sealed in _sealed(record["type"], record["payload"]):
            fields += 1
            opened += await _opens(sealed, record["stream"], field, ports.vault)
    states = [record["state"] for record in await pool.fetch(SQL["states"], streams)]
    return Leftovers(
        user_id=user_id,
        keys=await pool.fetchval(SQL["keys"], subjects),
        fields_that_open=opened,
        heads_with_sealed=sum(_holds_sealed(msgspec.msgpack.decode(state)) for state in states if state),
        rows=await _rows(user_id, streams, pool, ports),
        events=events,
        fields=fields,
    )


async def _streams(user_id: UserId, models: ReadModels, ports: Ports) -> tuple[list[StreamName], list[StreamName]]:
    """Give every stream of theirs, and those that keys are of."""
    of_user: Read = (user.decider, user.stream(user_id))
    state: User = (await read_states(ports, [of_user])).state(*of_user)
    invited = [invitation.stream(each) for each in state.invitations] if isinstance(state, Erased) else []
    told = await models.fetch(user_history, SQL["streams_told"], user_id)
    own = [of.stream(user_id) for of in (user, factors, attributes, password_reset)]
    return sorted({*own, *invited, *(record["stream"] for record in told)}), [user.stream(user_id), *invited]


def _sealed(tag: str, payload: bytes) -> list[tuple[str, Sealed]]:
    event = codec.decode_event(tag, payload)
    names = SEALED_FIELDS[codec.tag_of(event)]
    return [(name, value) for name in names if isinstance(value := getattr(event, name), Sealed)]


async def _opens(sealed: Sealed, stream: StreamName, field: str, vault: Vault) -> bool:
    return not isinstance(await vault.open(sealed, stream=stream, field=field), Unreadable)


def _holds_sealed(state: object) -> bool:
    """Whether there is a key's id beside a box anywhere in a head's state, as `Sealed` is written."""
    if isinstance(state, dict):
        return any(map(_holds_sealed, cast("dict[object, object]", state).values()))
    if isinstance(state, list):
        parts = cast("list[object]", state)
        return [type(part) for part in parts] == [str, bytes] or any(map(_holds_sealed, parts))
    return False


async def _rows(user_id: UserId, streams: Sequence[StreamName], pool: "asyncpg.Pool[asyncpg.Record]", ports: Ports) -> dict[str, int]:
    ended = [projection.name for projection in ALL if isinstance(projection, Entity) and projection.ends]
    tables = [record["relname"] for record in await pool.fetch(SQL["tables"], ended)]
    counts = {table: await pool.fetchval(SQL["rows"].format(table=f"read.{table}"), user_id) for table in tables}
    counted = [ports.macs.login_name(f"{kind}:{user_id}") for kind in ("account", "factor", "user")]
    record = await pool.fetchrow(SQL["elsewhere"], user_id, f"user:{user_id}", counted, streams)
    return counts | {table: record[table] for table in COUNTED if record is not None}
