"""A name leads to whom the log says it is of: `minos audit verify` holds the index of names against the claims."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from adapters.event_store import PostgresEventStore
from commands.ports import AppendResult, ClaimChange, NewEvent, StreamWrite
from domain import claim, codec
from domain.claim import ClaimKind
from domain.ids import ClaimId, EventId, StreamName, UserId
from tests.audit.conftest import Audited
from tests.store.commits import commit, holder_of, mac, release, take
from workers.audit import claims
from workers.audit.findings import Kind
from workers.sequencer import Sequencer

PAGE = 3
"""Claims, in these tests: fewer than there are."""


@dataclass(frozen=True)
class Named:
    log: Audited
    streams: Sequence[StreamName]
    """In order; the last of them has given its name up."""

    async def faults(self) -> list[tuple[Kind, str | None, str | None, str]]:
        report = await self.log.verify()
        return [
            (each.kind, each.model, each.stream, each.words.removeprefix(f"in claim_index, {each.stream} ")) for each in report.findings
        ]


async def recorded(store: PostgresEventStore, stream: StreamName, before: Sequence[Any], new: Sequence[Any], change: ClaimChange) -> None:
    events = tuple(
        NewEvent(event_id=EventId(uuid4()), type=codec.tag_of(event), payload=codec.encode_event(event), key_id=None) for event in new
    )
    state, version = codec.encode_state(claim.decider.fold([*before, *new])), claim.decider.state_version
    write = StreamWrite(stream=stream, expected=len(before), events=events, state=state, state_version=version)
    assert (await store.append(commit(write, claims=(change,)))).result is AppendResult.DONE


@pytest.fixture
async def named(falsified: Audited, monkeypatch: pytest.MonkeyPatch) -> Named:
    monkeypatch.setattr(claims, "CLAIMS", PAGE)
    store = PostgresEventStore(falsified.database.app_url)
    ids = sorted((ClaimId(uuid4()) for _ in range(2 * PAGE)), key=str)
    for claim_id in ids:
        stream, name, at = claim.stream(claim_id), mac(), datetime.now(UTC)
        taken = claim.take(claim.Free(), claim_id=claim_id, kind=ClaimKind.EMAIL, user_id=UserId(holder_of(stream)), at=at)
        await recorded(store, stream, [], taken, take(name, stream))
        if claim_id == ids[-1]:
            await recorded(store, stream, taken, claim.release(claim.decider.fold(taken), at=at), release(name, stream))
    await store.close()
    sequencer = Sequencer(falsified.database.app_url)
    await sequencer.step()
    await sequencer.close()
    return Named(falsified, [claim.stream(claim_id) for claim_id in ids])


async def test_names_that_lead_where_they_should_are_no_finding(named: Named) -> None:
    assert await named.faults() == []


@pytest.mark.parametrize("at", [0, PAGE - 1, PAGE, 2 * PAGE - 2])
async def test_a_name_taken_away(named: Named, at: int) -> None:
    stream = named.streams[at]
    await named.log.as_owner(f"DELETE FROM claim_index WHERE stream = '{stream}'")
    assert await named.faults() == [(Kind.READ_MODEL_DIFFERS, "claim_index", stream, "holds a name, and none leads to it")]


async def test_attack_a_name_that_leads_to_another(named: Named) -> None:
    ada, eve = named.streams[:2]
    await named.log.as_owner(f"UPDATE claim_index SET holder = '{holder_of(eve)}' WHERE stream = '{ada}'")
    words = f"is held by {holder_of(ada)}, and its name leads to {holder_of(eve)}"
    assert await named.faults() == [(Kind.READ_MODEL_DIFFERS, "claim_index", ada, words)]


async def test_attack_a_name_turned_to_anothers_claim(named: Named) -> None:
    ada, eve = named.streams[:2]
    await named.log.as_owner(f"UPDATE claim_index SET stream = '{eve}', holder = '{holder_of(eve)}' WHERE stream = '{ada}'")
    assert await named.faults() == [
        (Kind.READ_MODEL_DIFFERS, "claim_index", ada, "holds a name, and none leads to it"),
        (Kind.READ_MODEL_DIFFERS, "claim_index", eve, "has several names under one key"),
    ]


@pytest.mark.parametrize("change", ["state = state", "state = NULL"])
async def test_attack_a_name_that_leads_to_another_beside_a_head_of_another_version(named: Named, change: str) -> None:
    """The service folds such a head anew, and so is it checked."""
    ada, eve, released = named.streams[0], named.streams[1], named.streams[-1]
    await named.log.as_owner(f"UPDATE heads SET {change}, state_version = 9 WHERE stream LIKE 'claim-%'")
    assert await named.faults() == []
    await named.log.as_owner(
        f"UPDATE claim_index SET holder = '{holder_of(eve)}' WHERE stream = '{ada}'",
        f"INSERT INTO claim_index VALUES (1, sha256('x'), '{released}', gen_random_uuid())",
    )
    assert [(stream, words) for _, _, stream, words in await named.faults()] == [
        (ada, f"is held by {holder_of(ada)}, and its name leads to {holder_of(eve)}"),
        (released, "has a name, and holds none any more"),
    ]


@pytest.mark.parametrize(
    ("stream", "words"),
    [
        (None, "has a name, and holds none any more"),
        ("claim-zzz", "has a name, and is no claim"),
        ("attic-1", "has a name, and is no claim"),
        ("", "has a name, and is no claim"),
        ("\U0010ffff\U0010ffff", "has a name, and is no claim"),
    ],
)
async def test_attack_a_name_nobody_took(named: Named, stream: str | None, words: str) -> None:
    stream = named.streams[-1] if stream is None else stream
    await named.log.as_owner(f"INSERT INTO claim_index VALUES (1, sha256('x'), '{stream}', gen_random_uuid())")
    assert await named.faults() == [(Kind.READ_MODEL_DIFFERS, "claim_index", stream, words)]
