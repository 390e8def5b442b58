"""A reader of one kind of events tries to get at the others: by names, by positions, by waiting until the right is gone."""

import asyncio

import httpx
import pytest

from tests.api.conftest import Person, Served


async def follow(served: Served, token: str, query: str = "") -> httpx.Response:
    return await served.http.get(f"/api/v1/events?{query}", headers={"Authorization": f"Bearer {token}"})


async def size(served: Served) -> int:
    token = await served.machine("minos.events.read")
    await served.project()
    return int((await follow(served, token, "limit=1")).json()["size"])


async def waits(served: Served, reader: Person) -> None:
    """Return once a request of theirs waits."""
    async with asyncio.timeout(10):
        while not served.world.waiting.of(f"user:{reader.user_id}"):
            await asyncio.sleep(0.005)


async def test_a_category_shows_nothing_of_another(served: Served) -> None:
    person = await served.person()
    await served.project()
    answer = await follow(served, await served.machine("minos.events.read.user"), "limit=500")
    assert {event["type"].partition(".")[0] for event in answer.json()["data"]} == {"user"}
    assert person.session_id not in answer.text


async def test_nothing_personal_is_in_it(served: Served) -> None:
    person = await served.person()
    await person.ask("PATCH", "/me", json={"name": "Ada Lovelace-Nobody"})
    await served.project()
    answer = await follow(served, await served.machine("*"), f"limit=500&after={max(0, await size(served) - 60)}")
    assert person.user_id in answer.text
    assert not [word for word in (person.email, "Lovelace", "127.0.0.1", "httpx", "seed", "sealed") if word in answer.text]


@pytest.mark.parametrize("query", ["", "after=0", "after=9007199254740991", "epoch=7", "wait=25&after=9007199254740991", "limit=500"])
async def test_who_may_read_nothing_learns_nothing_not_even_the_size(served: Served, query: str) -> None:
    """The answer is there before the log is looked at, so neither its words nor its time can tell."""
    for held in (
        "minos.events",
        "minos.events.write",
        "minos.audit.read",
        "minos.events.readall",
        "minos.events.read.nothing",
        "events.read",
    ):
        answer = await follow(served, await served.machine(held), query)
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
        assert "size" not in answer.text


@pytest.mark.parametrize("query", ["category=session", "type=session", "after=0&after=1", "cursor=AAAA", "data=1"])
async def test_no_parameter_widens_what_is_seen(served: Served, query: str) -> None:
    assert (await follow(served, await served.machine("minos.events.read.user"), query)).status_code == 422


async def test_a_token_for_another_service_reads_nothing(served: Served, admin: Person) -> None:
    other = Person(served.http, admin.email)
    await other.sign_in(audience="orders")
    assert (await follow(served, other.access)).status_code == 401


async def test_a_right_lost_while_waiting_shows_nothing_any_more(served: Served, admin: Person) -> None:
    name = "follower"
    await admin.ask("POST", "/roles", json={"name": name, "permissions": ["minos.events.read"]})
    reader = await served.person()
    await admin.ask("PUT", f"/users/{reader.user_id}/roles/{name}")
    end = await size(served)
    waiting = asyncio.create_task(follow(served, reader.access, f"after={end}&wait=25"))
    await waits(served, reader)
    assert (await admin.ask("DELETE", f"/users/{reader.user_id}/roles/{name}")).status_code == 204
    await served.project()
    answer = await waiting
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")


async def test_an_account_ended_while_waiting_shows_nothing_any_more(served: Served, admin: Person) -> None:
    reader = await served.person()
    await admin.ask("PUT", f"/users/{reader.user_id}/roles/admin")
    end = await size(served)
    waiting = asyncio.create_task(follow(served, reader.access, f"after={end}&wait=25"))
    await waits(served, reader)
    assert (await admin.ask("POST", f"/users/{reader.user_id}/suspend", json={"reason": "abuse", "note": "x"})).status_code == 204
    await served.project()
    assert (await waiting).status_code == 401
