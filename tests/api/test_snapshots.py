"""All signals there are in one signed document, or those behind a place, for whoever may hear them."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from msgspec import structs

from adapters.signal_rows import SignalRow
from api.signal_positions import positions
from domain.ids import RoleName, UserId
from domain.permission import Permission
from domain.signals.facts import RoleMapFact, UserFact
from tests.api.conftest import Served
from tests.api.listening import (
    ORDERS,
    Stream,
    change_class,
    ended,
    listening,
    opened,
    position,
    read,
    roles_of,
    scope_of,
    snapshot,
    tell,
)
from tests.projections.histories import uuid7

pytestmark = pytest.mark.usefixtures("orders_signals", "nothing_is_reused")


async def test_a_snapshot_has_every_fact_signed(served: Served, listener: str) -> None:
    fact = ended()
    await tell(served, fact)
    found = await read(served, listener)
    assert {"kind": "session", "id": str(fact.id), "until": fact.until} in found["facts"]
    assert [each["class"] for each in found["classes"]] == ["access"]
    assert set(found) == {"iss", "iat", "complete_to", "classes", "facts"}


@pytest.mark.parametrize("rows", [1, 2, 3, 7])
async def test_a_snapshot_is_the_same_in_however_many_pieces_it_is_made(
    served: Served, listener: str, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    await tell(served, ended(), ended(), ended())
    whole = (await read(served, listener))["facts"]
    monkeypatch.setattr("api.snapshots.ROWS", rows)
    assert (await read(served, listener))["facts"] == whole


async def test_a_snapshot_of_an_audience_has_what_its_roles_give(served: Served, listener: str) -> None:
    user, editor = UserId(uuid7()), RoleName("editor")
    given = RoleMapFact(audience=ORDERS, id=editor, permissions=(Permission("orders.write"),), retired=False, version=1)
    await tell(served, roles_of(user, 3, "editor"), given)
    found = await read(served, listener, "audience=orders")
    assert [each["class"] for each in found["classes"]] == ["access", "roles.orders"]
    assert {
        "kind": "role_map",
        "audience": "orders",
        "id": "editor",
        "permissions": ["orders.write"],
        "retired": False,
        "version": 1,
    } in found["facts"]


async def test_a_snapshot_that_is_known_is_not_sent_again_but_how_complete_it_is(served: Served, listener: str) -> None:
    await tell(served, ended())
    etag = (await snapshot(served, listener, "audience=orders")).headers["etag"]
    await change_class(served, "complete_to = complete_to + interval '1 second', beat = beat + 1")
    answer = await snapshot(served, listener, "audience=orders", **{"If-None-Match": etag})
    assert (answer.status_code, answer.content) == (304, b"")
    beats = [await opened(served, each, "secevent+jwt") for each in answer.headers["minos-heartbeat"].split(", ")]
    assert [beat["feed"]["class"] for beat in beats] == ["access", "roles.orders"]
    assert all(beat["events"] == {"urn:minos:event:heartbeat": {}} for beat in beats)
    await tell(served, ended())
    assert (await snapshot(served, listener, "audience=orders", **{"If-None-Match": etag})).status_code == 200


async def test_those_who_ask_at_once_get_one_document(served: Served, listener: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.snapshots.REUSED_SECONDS", 1.0)
    answers = await asyncio.gather(*(snapshot(served, listener) for _ in range(8)))
    assert len({answer.text for answer in answers}) == 1


async def places(served: Served) -> str:
    states = await served.world.telling.hub.states(["access", "roles.orders"])
    return ",".join(f"{name}:{state.epoch}:{state.count}" for name, state in states.items())


async def test_who_says_what_they_know_is_sent_what_came_since(served: Served, listener: str) -> None:
    await tell(served, ended(), ended())
    known, fact, user = await places(served), ended(), UserId(uuid7())
    await tell(served, fact, roles_of(user, 3, "editor"))
    found = await read(served, listener, f"audience=orders&after={known}")
    assert [each["id"] for each in found["facts"]] == [str(fact.id), str(user)]
    assert ",".join(f"{each['class']}:{each['epoch']}:{each['after']}" for each in found["classes"]) == known
    assert [each["count"] - each["after"] for each in found["classes"]] == [1, 1]


async def test_that_nothing_came_since_is_signed_too(served: Served, listener: str) -> None:
    found = await read(served, listener, f"audience=orders&after={await places(served)}")
    assert found["facts"] == []
    assert [each["after"] for each in found["classes"]] == [each["count"] for each in found["classes"]]


async def test_a_fact_told_anew_while_it_is_read_is_in_the_difference(
    served: Served, listener: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.snapshots.ROWS", 2)
    rows, known, users = served.world.telling.hub._rows, await position(served), [UserId(uuid7()) for _ in range(5)]
    await tell(served, *(UserFact(id=user, epoch=1, until=4_000_000_000) for user in users))
    after, moved = rows.after, list[UserId]()

    async def moving(of_class: str, count: int, limit: int) -> Sequence[SignalRow]:
        found = await after(of_class, count, limit)
        if not moved:
            moved.extend(users[2:4])
            await tell(served, *(UserFact(id=user, epoch=2, until=4_000_000_000) for user in moved))
        return found

    monkeypatch.setattr(rows, "after", moving)
    found = await read(served, listener, f"after={known}")
    assert moved
    assert {str(user) for user in users} <= {each["id"] for each in found["facts"]}


async def test_attack_place_of_another_epoch_that_hides_what_it_never_had(served: Served, listener: str) -> None:
    """A restored database has other facts behind the same counts, and tells its classes anew."""
    await tell(served, ended())
    known = await position(served)
    await change_class(served, "epoch = epoch + 1")
    everything = (await read(served, listener))["facts"]
    for place in (known, (await position(served)).rpartition(":")[0] + ":999999999", "roles.orders:1:0"):
        found = await read(served, listener, f"after={place}")
        assert found["facts"] == everything
        assert all("after" not in each for each in found["classes"])


async def test_who_lacks_much_is_sent_what_everybody_is_sent(served: Served, listener: str, monkeypatch: pytest.MonkeyPatch) -> None:
    known = await position(served)
    await tell(served, ended(), ended(), ended())
    monkeypatch.setattr("api.snapshots.LONGEST_DIFFERENCE", 2)
    assert all("after" not in each for each in (await read(served, listener, f"after={known}"))["classes"])
    monkeypatch.setattr("api.snapshots.LONGEST_DIFFERENCE", 3)
    assert len((await read(served, listener, f"after={known}"))["facts"]) == 3


async def test_one_that_took_long_to_make_is_sent_to_the_next(served: Served, listener: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its age; and never where it was asked for what came since."""
    monkeypatch.setattr("api.snapshots.QUICK_SECONDS", 0.0)
    monkeypatch.setattr("api.snapshots.REUSED_FOR_MAKING", 1_000_000)
    first, kept = await snapshot(served, listener), served.world.telling.snapshots._whole._kept
    kept.update({wanted: structs.replace(made, as_of=made.as_of - 70) for wanted, made in kept.items()})
    second = await snapshot(served, listener)
    kept.clear()
    assert second.text == first.text
    assert int(second.headers["age"]) > 70
    known = await position(served)
    assert (await snapshot(served, listener, f"after={known}")).text != (await snapshot(served, listener, f"after={known}")).text


async def test_those_who_ask_for_the_same_at_once_wait_for_one_document(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has all that was committed when the last of them asked: so it is another one than that which was being made."""
    monkeypatch.setattr("api.snapshots.REUSED_SECONDS", 1.0)
    snapshots = served.world.telling.snapshots
    known = {"access": next(iter(positions(await position(served)).values()))}
    made = await asyncio.gather(*(snapshots.since(known, caller=str(number % 2)) for number in range(8)))
    assert len({each.body for each in made if each is not None}) == 2


async def test_a_large_one_comes_in_pieces_and_whole(served: Served, listener: str, monkeypatch: pytest.MonkeyPatch) -> None:
    await tell(served, *(ended() for _ in range(4)))
    everything = (await read(served, listener))["facts"]
    monkeypatch.setattr("api.signals.PIECE", 100)
    assert (await read(served, listener))["facts"] == everything
    assert served.world.telling.streams.total == 0


async def test_attack_large_document_that_is_taken_in_by_nobody(served: Served, listener: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is counted while somebody takes it in, and however slowly that goes on, it has an end."""
    monkeypatch.setattr("api.signals.PIECE", 10)
    monkeypatch.setattr("api.signals.SENT_WITHIN_SECONDS", 0.2)
    monkeypatch.setattr(served.world.telling.streams, "most_of_one", 1)
    await tell(served, ended())
    async with listening(served, listener, what="snapshot") as stream:
        stream.is_reading.clear()
        assert (await snapshot(served, listener)).status_code == 429
        async with asyncio.timeout(5):
            while served.world.telling.streams.total:
                await asyncio.sleep(0.01)
    assert not stream.over.is_set()


async def test_attack_large_documents_that_are_asked_for_at_once(served: Served, listener: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks for many gets no more of them than one after the other, though none of them has been begun to be sent."""
    monkeypatch.setattr("api.signals.PIECE", 10)
    monkeypatch.setattr(served.world.telling.streams, "most_of_one", 1)
    asking, both, answered = [Stream(served), Stream(served)], asyncio.Event(), list[int]()

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            answered.append(message["status"])
            if len(answered) == len(asking):
                both.set()
            await both.wait()

    async with asyncio.timeout(5):
        await asyncio.gather(*(served.edge(scope_of(listener, what="snapshot"), each.receive, send) for each in asking))
    assert sorted(answered) == [200, 429]
    assert served.world.telling.streams.total == 0


async def test_attack_reader_that_is_gone_before_anything_is_sent(served: Served, listener: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.signals.PIECE", 10)

    counted = list[int]()

    async def send(_: Any) -> None:
        counted.append(served.world.telling.streams.total)
        raise ConnectionResetError

    for what in ("snapshot", "stream"):
        await served.edge(scope_of(listener, what=what), Stream(served).receive, send)
    assert counted == [1, 1]
    assert served.world.telling.streams.total == 0


async def test_the_head_alone_has_no_body(served: Served, listener: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.signals.PIECE", 10)
    answer = await served.http.head("/api/v1/signals/snapshot", headers={"Authorization": f"Bearer {listener}"})
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("known", ["x", "access:1", "access:-1:2", "access:1:2:3", "access:१:१"])
async def test_a_place_that_is_none_is_refused(served: Served, listener: str, known: str) -> None:
    assert (await snapshot(served, listener, f"after={known}")).json()["code"] == "cursor_invalid"
