"""A service tries to hear what another is told: with less than the right, with one that is gone, by staying, and by keeping others out."""

import asyncio
from typing import Any

import httpx
import pytest
from msgspec import structs

from commands.context import Context
from commands.service_accounts import DisableServiceAccount, disable_service_account
from domain.errors import InvalidToken
from domain.ids import ClientId, CorrelationId
from tests.api.conftest import Person, Served
from tests.api.listening import ended, listening, tell

BOTH = pytest.mark.parametrize("address", ["snapshot", "stream"])


async def ask(served: Served, token: str, address: str, query: str = "") -> httpx.Response:
    return await served.http.get(f"/api/v1/signals/{address}?{query}", headers={"Authorization": f"Bearer {token}"})


@BOTH
@pytest.mark.parametrize(
    "held", ["minos.signals", "minos.signals.roles.orders", "minos.signals.accessory", "minos.events.read", "minos.users.*"]
)
async def test_class_access_is_for_who_holds_its_permission(served: Served, address: str, held: str) -> None:
    answer = await ask(served, await served.machine(held), address)
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")


@BOTH
@pytest.mark.parametrize("held", ["minos.signals.roles", "minos.signals.roles.reports", "minos.signals.roles.orders.more", "orders.*"])
async def test_an_audience_is_for_who_holds_its_permission(served: Served, address: str, held: str) -> None:
    answer = await ask(served, await served.machine("minos.signals.access", held), address, "audience=orders")
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")


@BOTH
async def test_who_may_not_hear_an_audience_does_not_learn_that_there_is_one(served: Served, address: str) -> None:
    token = await served.machine("minos.signals.access")
    answers = [await ask(served, token, address, f"audience={name}") for name in ("orders", "reports", "never-defined")]
    assert len({answer.text for answer in answers}) == 1
    known = await served.machine("minos.signals.*", "minos.signals.roles.*")
    assert (await ask(served, known, address, "audience=never-defined")).status_code == 404


@BOTH
@pytest.mark.parametrize(
    "query", ["audience=orders&audience=access", "audience=*", "audience=access.x", "class=roles.orders", "audience=%0a"]
)
async def test_no_spelling_of_an_audience_leads_to_another(served: Served, address: str, query: str) -> None:
    assert (await ask(served, await served.machine("minos.signals.*"), address, query)).status_code == 422


async def test_a_position_in_a_class_that_was_not_asked_for_opens_none(served: Served) -> None:
    await tell(served, ended())
    async with listening(served, await served.machine("minos.signals.access"), last_event_id="roles.orders:1:0") as stream:
        heard = await stream.next("signal")
        assert heard.what["feed"]["class"] == "access"
        assert "roles" not in (heard.id or "")


async def test_a_plain_person_hears_nothing(served: Served) -> None:
    person = await served.person()
    assert (await person.ask("GET", "/signals/snapshot")).status_code == 403


@pytest.fixture
def looked_at_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.signal_listener.LOOKED_AT_AGAIN_SECONDS", 0.02)


@pytest.mark.usefixtures("looked_at_often")
async def test_a_disabled_account_is_heard_out_of_the_stream(served: Served) -> None:
    token = await served.machine("minos.signals.access")
    claims = await served.world.tokens.verify(token, audiences=None)
    async with listening(served, token) as stream:
        await stream.next("heartbeat")
        ctx = Context(correlation_id=CorrelationId(served.world.ports.random.uuid7()), system="cli")
        await disable_service_account(DisableServiceAccount(client_id=ClientId(claims.sub)), ctx, served.world.ports)
        assert (await stream.next("end")).what == {"code": "invalid_token"}
        await asyncio.wait_for(stream.over.wait(), 5)


@pytest.mark.usefixtures("looked_at_often")
async def test_who_is_far_behind_and_reads_slowly_hears_no_more_once_disabled(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """A million signals at a piece every nine seconds would be hours of what nobody may hear."""
    monkeypatch.setattr("api.signal_listener.IN_ONE_PIECE", 2)
    monkeypatch.setattr("api.signal_hub.PAGE", 20)
    await tell(served, *(ended() for _ in range(60)))
    token = await served.machine("minos.signals.access")
    claims = await served.world.tokens.verify(token, audiences=None)
    async with listening(served, token) as stream:
        await stream.next("signal")
        stream.is_reading.clear()
        ctx = Context(correlation_id=CorrelationId(served.world.ports.random.uuid7()), system="cli")
        await disable_service_account(DisableServiceAccount(client_id=ClientId(claims.sub)), ctx, served.world.ports)
        await asyncio.sleep(0.05)
        stream.is_reading.set()
        heard = 1
        while (await stream.next()).event == "signal":
            heard += 1
        assert heard < 60


@pytest.mark.usefixtures("looked_at_often")
async def test_a_right_that_is_taken_ends_the_stream(served: Served, admin: Person) -> None:
    await admin.ask("POST", "/roles", json={"name": "hearer", "permissions": ["minos.signals.access"]})
    hearer = await served.person()
    await admin.ask("PUT", f"/users/{hearer.user_id}/roles/hearer")
    async with listening(served, hearer.access) as stream:
        await stream.next("heartbeat")
        await admin.ask("DELETE", f"/users/{hearer.user_id}/roles/hearer")
        assert (await stream.next("end")).what == {"code": "permission_denied"}


@pytest.mark.usefixtures("looked_at_often")
async def test_a_stream_ends_with_its_token(served: Served) -> None:
    """Of two seconds: the 30 that clocks may differ by are nearly over."""
    claims = await served.world.tokens.verify(await served.machine("minos.signals.access"), audiences=None)
    late = structs.replace(claims, iat=claims.iat - 300, exp=claims.iat - 28)
    async with listening(served, await served.world.ports.mint.access_token(late)) as stream:
        assert (await stream.next("end")).what == {"code": "invalid_token"}


async def test_one_service_cannot_take_every_stream(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served.world.telling.streams, "most_of_one", 1)
    one, other = await served.machine("minos.signals.access"), await served.machine("minos.signals.access")
    async with listening(served, one):
        refused = await ask(served, one, "stream")
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_waiting")
        async with listening(served, other) as stream:
            await stream.next("heartbeat")


async def test_streams_have_an_end_in_all(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served.world.telling.streams, "most", 1)
    one, other = await served.machine("minos.signals.access"), await served.machine("minos.signals.access")
    async with listening(served, one):
        refused = await ask(served, other, "stream")
        assert (refused.status_code, refused.json()["code"]) == (503, "overloaded")
        assert (await ask(served, other, "snapshot")).status_code == 200


async def test_a_signal_shown_as_a_token_lets_nobody_in(served: Served) -> None:
    await tell(served, ended())
    token = await served.machine("minos.signals.access")
    async with listening(served, token) as stream:
        heard: list[Any] = [await stream.next("signal"), await stream.next("heartbeat")]
    document = (await ask(served, token, "snapshot")).text
    for each in (*(one.data for one in heard), document[:8_000]):
        with pytest.raises(InvalidToken):
            await served.world.tokens.verify(each, audiences=None)
        assert (await served.http.get("/api/v1/auth/session", headers={"Authorization": f"Bearer {each}"})).status_code == 401
