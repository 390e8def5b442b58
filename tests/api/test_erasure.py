"""Asking to be erased and taking one's data along, over HTTP."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from commands.context import Context
from commands.erase_again import erase_whoever_was
from commands.forget_person import complete_erasure
from commands.ports import ErasedEntry
from domain.ids import AudienceName, CorrelationId, UserId
from domain.user_events import AskedBy
from minos_sdk.erasures import Erasures
from tests.api.conftest import BASE, Person, Served


async def listed(served: Served, admin: Person, person: Person) -> dict[str, Any] | None:
    await served.project()
    rows = (await admin.ask("GET", "/erasures")).json()["data"]
    return next((row for row in rows if row["user_id"] == person.user_id), None)


async def test_asking_is_seen_by_administrators_and_can_be_withdrawn(served: Served, admin: Person) -> None:
    person = await served.person()
    answer = await person.ask("POST", "/me/erase")
    assert answer.status_code == 202
    due_at = answer.json()["due_at"]
    assert (await person.ask("GET", "/me")).json()["erasure_due_at"] == due_at
    row = await listed(served, admin, person)
    assert row is not None
    assert (row["status"], row["due_at"]) == ("asked", due_at)
    assert (await person.ask("DELETE", "/me/erase")).status_code == 204
    assert await listed(served, admin, person) is None
    answer = await person.ask("DELETE", "/me/erase")
    assert (answer.status_code, answer.json()["code"]) == (409, "erasure_not_asked")
    history = (await person.ask("GET", "/me/history")).json()["data"]
    assert [row["type"] for row in history[:2]] == ["erasure.withdrawn.v1", "erasure.asked.v1"]


async def test_the_last_administrator_does_not_ask(admin: Person) -> None:
    answer = await admin.ask("POST", "/me/erase")
    assert (answer.status_code, answer.json()["code"]) == (409, "last_admin_protected")


class OneToken:
    """A service's own token, for as long as it lives."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def token(self, audience: str) -> str:
        assert audience == "minos"
        return self._token


class Listed:
    """A list of the erased with one on it, so that they are erased now."""

    def __init__(self, user_id: str) -> None:
        self.user_id = UserId(UUID(user_id))

    async def enter(self, entry: ErasedEntry) -> bool:
        return entry.user_id != self.user_id

    async def ids(self) -> list[UserId]:
        return [self.user_id]

    async def get(self, user_id: UserId) -> ErasedEntry | None:
        return ErasedEntry(user_id=user_id, asked_by=AskedBy.OWN_REQUEST, begun_at=datetime.now(UTC), names_until=None, invitations=())


async def erased(served: Served, person: Person) -> UserId:
    """Erase somebody at once, and say that it is over."""
    ports, listed = served.world.ports, Listed(person.user_id)
    ctx = Context(correlation_id=CorrelationId(ports.random.uuid7()), system="cli")
    assert (await erase_whoever_was(listed, ctx, ports)).back == 1
    assert await complete_erasure(listed.user_id, [AudienceName("orders"), AudienceName("reports")], ctx, ports)
    await served.project()
    return listed.user_id


async def test_an_administrator_looks_first_and_can_think_better_of_it(served: Served, admin: Person) -> None:
    person = await served.person()
    await served.project()
    path = f"/users/{person.user_id}/erase"
    seen = (await admin.ask("GET", path)).json()
    assert (seen["sessions"], seen["account"]["names"], seen["account"]["due_at"]) == (1, 1, None)
    assert "orders" in seen["services"]
    answer = await admin.ask("POST", path, json={"asked_by": "law"})
    assert answer.status_code == 202, answer.text
    row = await listed(served, admin, person)
    assert row is not None
    assert (row["asked_by"], row["due_at"]) == ("law", answer.json()["due_at"])
    assert (await person.ask("DELETE", "/me/erase")).status_code == 409
    assert (await admin.ask("GET", f"/erasures/{person.user_id}")).json()["stage"] == "asked"
    assert (await admin.ask("DELETE", path)).status_code == 204
    answer = await admin.ask("GET", f"/erasures/{person.user_id}")
    assert (answer.status_code, answer.json()["code"]) == (404, "erasure_not_found")
    for method in ("GET", "POST"):  # refused before it is asked for, too
        answer = await admin.ask(method, f"/users/{admin.user_id}/erase")
        assert (answer.status_code, answer.json()["code"]) == (409, "last_admin_protected")


async def test_services_say_each_for_itself_that_they_have_forgotten_somebody(served: Served, admin: Person) -> None:
    person = await served.person()
    user_id = await erased(served, person)
    headers = {"Authorization": f"Bearer {await served.machine('minos.signals.access', 'minos.signals.roles.orders')}"}
    path = f"/api/v1/erasures/{user_id}/acknowledgements"
    answer = await served.http.get("/api/v1/erasures/unacknowledged", params={"audience": "orders"}, headers=headers)
    assert str(user_id) in [row["user_id"] for row in answer.json()["data"]]
    assert (await served.http.get("/api/v1/erasures/unacknowledged", params={"audience": "reports"}, headers=headers)).status_code == 403
    assert (await served.http.post(path, json={"audience": "reports"}, headers=headers)).status_code == 403
    assert (await admin.ask("POST", f"/erasures/{user_id}/acknowledgements", json={"audience": "orders"})).status_code == 403
    service = Erasures(BASE, OneToken(headers["Authorization"].removeprefix("Bearer ")), audience="orders", http=served.http)
    assert user_id in [each async for each in service.waiting()]
    await service.acknowledge(user_id)
    await service.acknowledge(user_id)
    told = (await admin.ask("GET", f"/erasures/{user_id}")).json()
    assert (told["stage"], told["missing"]) == ("completed", ["reports"])
    assert told["receipt"]["proof"].startswith("/api/v1/audit/proofs?position=")
    assert (await admin.ask("GET", told["receipt"]["proof"].removeprefix("/api/v1"))).status_code == 409, "no checkpoint covers it yet"
    await served.project()
    answer = await served.http.get("/api/v1/erasures/unacknowledged", params={"audience": "orders"}, headers=headers)
    assert str(user_id) not in [row["user_id"] for row in answer.json()["data"]]


async def test_an_export_has_all_that_is_known_of_its_owner_and_nothing_of_others(served: Served) -> None:
    person, other = await served.person(), await served.person()
    await person.ask("PATCH", "/me", json={"name": "Ada Lovelace"})
    await person.ask("PATCH", "/me/attributes", json={"attributes": {"motto": "onwards"}})
    await served.project()
    answer = await person.ask("GET", "/me/export")
    assert answer.headers["content-disposition"] == 'attachment; filename="account.json"'
    assert answer.headers["cache-control"] == "no-store"
    told = answer.json()
    assert (told["profile"]["email"], told["profile"]["name"]) == (person.email, "Ada Lovelace")
    assert told["profile"]["attributes"] == {"motto": "onwards"}
    assert [row["session_id"] for row in told["sessions"]] == [person.session_id]
    assert "user.registered.v1" in {row["type"] for row in told["history"]}
    assert (told["complete"], told["api_keys"], told["factors"]["data"]) == (True, [], [])
    assert other.email not in answer.text
    assert other.user_id not in answer.text


async def test_an_export_that_is_not_whole_says_so(served: Served, monkeypatch: Any) -> None:
    monkeypatch.setattr("api.export.MOST_HISTORY", 1)
    monkeypatch.setattr("api.export.PAGE", 1)
    person = await served.person()
    await served.project()
    told = (await person.ask("GET", "/me/export")).json()
    assert (told["complete"], len(told["history"])) == (False, 1)
