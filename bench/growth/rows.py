"""Commits as the rows that the append function would have made of them, for COPY."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from adapters.postgres import Connection
from bench.fill import slot
from bench.growth.acting import Made
from bench.growth.keys import SubjectKey
from domain.ids import StreamName

Row = tuple[Any, ...]
EVENTS = (
    "append_id", "stream", "version", "type", "slot", "event_id", "recorded_at", "actor", "session_id", "command_id", "correlation_id",
    "causation_id", "key_id", "payload",
)  # fmt: skip
HEADS = ("stream", "version", "state", "state_version")
CLAIMS = ("index_version", "mac", "stream", "holder")
KEYS = ("key_id", "subject", "seal_class", "generation", "wrapped", "kek_id", "created_at")


@dataclass(slots=True)
class Rows:
    """Rows by table. Commits are added in the order of their times; a head is what the last of its commits left."""

    next_id: int
    """The append id of the next event."""
    events: list[Row] = field(default_factory=list[Row])
    heads: dict[StreamName, Row] = field(default_factory=dict[StreamName, Row])
    claims: dict[tuple[int, bytes], Row] = field(default_factory=dict[tuple[int, bytes], Row])
    keys: list[Row] = field(default_factory=list[Row])

    def add(self, made: Iterable[Made]) -> None:
        for at, commit in made:
            common = (at, commit.actor, commit.session_id, commit.command_id, commit.correlation_id, commit.causation_id)
            for write in commit.writes:
                if not write.events:
                    continue
                of_slot = slot(write.stream)
                for version, event in enumerate(write.events, write.expected + 1):
                    what = (self.next_id, write.stream, version, event.type, of_slot, event.event_id)
                    self.events.append((*what, *common, event.key_id, event.payload))
                    self.next_id += 1
                self.heads[write.stream] = (write.stream, write.expected + len(write.events), write.state, write.state_version)
            for change in commit.claims:
                if not change.take:
                    raise ValueError("no name is given up in a history")
                taken = (change.claim.index_version, change.claim.mac)
                self.claims[taken] = (*taken, change.stream, change.holder)

    def add_keys(self, keys: Sequence[SubjectKey]) -> None:
        self.keys += keys

    async def copy_in(self, connection: Connection) -> None:
        """In one transaction, by the owner: its events become visible together, as those of one append do."""
        tables: Mapping[tuple[str, str], tuple[Sequence[str], Sequence[Row]]] = {
            ("vault", "subject_keys"): (KEYS, self.keys),
            ("public", "heads"): (HEADS, list(self.heads.values())),
            ("public", "claim_index"): (CLAIMS, list(self.claims.values())),
            ("public", "events"): (EVENTS, self.events),
        }
        async with connection.transaction():
            for (schema, table), (columns, rows) in tables.items():
                await connection.copy_records_to_table(table, schema_name=schema, columns=columns, records=rows)
