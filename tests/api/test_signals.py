"""Signals over HTTP, each as it comes, with and without the worker, for whoever may hear them."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import asyncpg
import pytest

from adapters.base64url import from_text
from adapters.signal_rows import SignalRow
from adapters.signal_sets import SignalSigner
from domain.ids import UserId
from domain.signals.facts import UserFact
from tests.api.conftest import BASE, Served
from tests.api.listening import change_class, ended, listening, position, read, roles_of, tell
from tests.projections.histories import uuid7
from tests.signals.one_key import OneKey

pytestmark = pytest.mark.usefixtures("orders_signals", "nothing_is_reused")


async def test_a_signal_is_heard_as_it_comes_and_then_a_heartbeat_that_counts_it(served: Served, listener: str) -> None:
    async with listening(served, listener, last_event_id=await position(served)) as stream:
        fact = ended()
        await tell(served, fact)
        heard = await stream.next("signal")
        assert heard.what["minos"] == {"kind": "session", "id": str(fact.id), "until": fact.until}
        beat = await stream.next("heartbeat")
        assert beat.what["feed"]["count"] == heard.what["feed"]["count"]
        assert heard.id == beat.id == f"access:{heard.what['feed']['epoch']}:{heard.what['feed']['count']}"
    assert dict(stream.start["headers"])[b"content-type"].startswith(b"text/event-stream")


async def test_who_comes_back_hears_what_they_missed_and_nothing_twice(served: Served, listener: str) -> None:
    async with listening(served, listener, last_event_id=await position(served)) as stream:
        await tell(served, ended())
        known = (await stream.next("signal")).id or ""
    missed = [ended(), ended()]
    await tell(served, *missed)
    async with listening(served, listener, last_event_id=known) as stream:
        assert [(await stream.next("signal")).what["minos"]["id"] for _ in missed] == [str(fact.id) for fact in missed]


async def test_who_comes_first_hears_all_there_is(served: Served, listener: str) -> None:
    await tell(served, ended(), ended())
    everything = (await read(served, listener))["facts"]
    async with listening(served, listener) as stream:
        assert [(await stream.next("signal")).what["minos"] for _ in everything] == everything
        assert (await stream.next()).event == "heartbeat"


async def test_what_was_replaced_is_told_once_and_the_count_moves_over_it(served: Served, listener: str) -> None:
    user, known = UserId(uuid7()), await position(served)
    await tell(served, roles_of(user, 1, "a"), roles_of(user, 2, "b"), roles_of(user, 3, "c"))
    async with listening(served, listener, "audience=orders", last_event_id=f"{known},roles.orders:1:0") as stream:
        heard = [each async for each in _until_beats(stream)]
        of_user = [each.what for each in heard if each.what.get("minos", {}).get("id") == str(user)]
        assert [what["minos"]["roles"] for what in of_user] == [["c"]]
        assert (heard[-1].id or "").endswith(f",roles.orders:1:{of_user[0]['feed']['count']}")


async def _until_beats(stream: Any) -> AsyncIterator[Any]:
    beats: set[str] = set()
    while len(beats) < 2:
        heard = await stream.next()
        yield heard
        if heard.event == "heartbeat":
            beats.add(heard.what["feed"]["class"])


async def test_another_epoch_is_heard_from_its_start(served: Served, listener: str) -> None:
    await tell(served, ended(), ended())
    known = await position(served)
    await change_class(served, "epoch = epoch + 1")
    everything = (await read(served, listener))["facts"]
    async with listening(served, listener, last_event_id=known) as stream:
        assert [(await stream.next("signal")).what["minos"] for _ in everything] == everything


async def test_an_epoch_that_begins_while_somebody_listens_is_heard_from_its_start(served: Served, listener: str) -> None:
    await tell(served, ended())
    everything = (await read(served, listener))["facts"]
    epoch = int((await position(served)).split(":")[1])
    async with listening(served, listener, last_event_id=await position(served)) as stream:
        await stream.next("heartbeat")
        await change_class(served, "epoch = epoch + 1")
        first = await stream.next()
        while first.what["feed"]["epoch"] == epoch:
            first = await stream.next()
        assert (first.event, first.what["feed"]["epoch"], first.id) == ("heartbeat", epoch + 1, f"access:{epoch + 1}:0")
        assert [(await stream.next("signal")).what["minos"] for _ in everything] == everything


async def test_a_position_beyond_what_there_is_begins_anew(served: Served, listener: str) -> None:
    """After a restore: what was told of the lost part says nothing of what is there."""
    await tell(served, ended())
    epoch = (await position(served)).split(":")[1]
    async with listening(served, listener, last_event_id=f"access:{epoch}:999999999") as stream:
        assert (await stream.next("signal")).what["feed"]["count"] == 1


async def test_everybody_hears_the_same_signature(served: Served, listener: str) -> None:
    known = await position(served)
    async with listening(served, listener, last_event_id=known) as one, listening(served, listener, last_event_id=known) as other:
        await one.next("heartbeat")
        await other.next("heartbeat")
        await tell(served, ended())
        assert (await one.next("signal")).data == (await other.next("signal")).data


async def test_who_is_far_behind_reads_the_rows(served: Served, listener: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.signal_channel.KEPT", 2)
    monkeypatch.setattr("api.signal_hub.PAGE", 3)
    async with listening(served, listener, last_event_id=await position(served)) as stream:
        await stream.next("heartbeat")
        stream.is_reading.clear()
        facts = [ended() for _ in range(9)]
        await tell(served, *facts)
        await asyncio.sleep(0.1)
        stream.is_reading.set()
        assert [(await stream.next("signal")).what["minos"]["id"] for _ in facts] == [str(fact.id) for fact in facts]


async def test_attack_what_an_older_key_signed_is_told_by_nobody_once_there_is_another(served: Served, listener: str) -> None:
    """It may have been withdrawn: whoever comes back hears all of it under the key there is now."""
    hub, known = served.world.telling.hub, await position(served)
    async with listening(served, listener, last_event_id=known) as stream:
        await tell(served, ended())
        before = await stream.next("signal")
        keys, signer = hub._keys, hub._signer
        hub._keys = other = OneKey()
        hub._signer = SignalSigner(other, BASE)
        try:
            async with listening(served, listener, last_event_id=known) as again:
                token = await again.token("signal")
        finally:
            hub._keys, hub._signer = keys, signer
    assert token != before.data
    assert json.loads(from_text(token.partition(".")[0]) or b"")["kid"] == other.key.kid


@pytest.mark.parametrize("listens", [False, True], ids=["who comes", "who is there"])
async def test_a_heartbeat_waits_for_what_moved_on_while_it_was_read_towards(
    served: Served, listener: str, monkeypatch: pytest.MonkeyPatch, listens: bool
) -> None:
    """A fact that is told anew leaves its place, and may be beyond what there was when the reading began."""
    monkeypatch.setattr("api.signal_hub.PAGE", 2)
    monkeypatch.setattr("api.signal_hub.LATEST_BEAT_SECONDS", 0.0)
    monkeypatch.setattr("api.signal_hub.LOOK_SECONDS", 0.02 if listens else 0.5)  # so that nothing new is looked for meanwhile
    rows, known = served.world.telling.hub._rows, await position(served)
    users = [UserId(uuid7()) for _ in range(6)]
    after, moved = rows.after, list[UserId]()

    async def moving(of_class: str, count: int, limit: int) -> Sequence[SignalRow]:
        found = await after(of_class, count, limit)
        if not moved:
            moved.extend(users[2:5])
            await tell(served, *(UserFact(id=user, epoch=2, until=4_000_000_000) for user in moved))
        return found

    first = [UserFact(id=user, epoch=1, until=4_000_000_000) for user in users]
    if not listens:
        await tell(served, *first)
    monkeypatch.setattr(rows, "after", moving)
    async with listening(served, listener, last_event_id=known) as stream:
        if listens:
            await stream.next("heartbeat")
            await tell(served, *first)
        each, heard = await stream.next("signal"), set[str]()
        while each.event == "signal":
            heard.add(each.what["minos"]["id"])
            each = await stream.next()
    assert moved
    assert {str(user) for user in users} <= heard


async def test_a_halted_teller_is_told_of(served: Served, listener: str) -> None:
    connection = await asyncpg.connect(served.database.app_url)
    try:
        await connection.execute("INSERT INTO projection_state (name, version) VALUES ('signals', 1) ON CONFLICT DO NOTHING")
        await connection.execute("UPDATE projection_state SET status = 'halted' WHERE name = 'signals'")
        async with listening(served, listener, last_event_id=await position(served)) as stream:
            assert (await stream.next("heartbeat")).what["feed"]["state"] == "halted"
    finally:
        await connection.execute("UPDATE projection_state SET status = 'live' WHERE name = 'signals'")
        await connection.close()


async def test_a_reader_that_takes_nothing_in_is_cut_off(served: Served, listener: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.streaming.STALLED_SECONDS", 0.1)
    async with listening(served, listener, last_event_id=await position(served)) as stream:
        await stream.next("heartbeat")
        stream.is_reading.clear()
        await tell(served, ended())
        async with asyncio.timeout(5):
            while served.world.telling.streams.total:
                await asyncio.sleep(0.01)
    assert not stream.over.is_set()


async def test_a_reader_that_leaves_leaves_nothing_behind(served: Served, listener: str) -> None:
    async with listening(served, listener, last_event_id=await position(served)) as stream:
        await stream.next("heartbeat")
        assert served.world.telling.streams.total == 1
    assert served.world.telling.streams.total == 0


async def test_a_question_for_the_head_alone_ends(served: Served, listener: str) -> None:
    answer = await served.http.head("/api/v1/signals/stream", headers={"Authorization": f"Bearer {listener}"})
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("known", ["x", "access", "access:1", "access:1:x", "access:1:2,", "access:-1:2", "a" * 3_000, "access:1:2:3"])
async def test_a_position_that_is_none_is_refused(served: Served, listener: str, known: str) -> None:
    headers = {"Authorization": f"Bearer {listener}", "Last-Event-ID": known}
    answer = await served.http.get("/api/v1/signals/stream", headers=headers)
    assert answer.status_code in {400, 422}
