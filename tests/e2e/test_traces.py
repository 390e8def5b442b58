"""Everything that happens is in the log, in the read models and on NATS; and what is personal is readable in none of them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import msgspec
import nats
import pytest
from nats.aio.msg import Msg
from nats.js.api import DeliverPolicy

from adapters.nats_credentials import proof
from bench.running import Running
from domain.codec import SEALED_FIELDS
from projections.catalogue import BY_NAME
from tests.e2e.people import PASSWORD, Person, address, register

JOURNEY = [
    "user.registered.v1", "user.password_set.v1", "session.started.v1", "session.token_issued.v1", "session.token_issued.v1",
    "user.profile_changed.v1", "user.role_granted.v1", "user.role_revoked.v1", "user.password_set.v1", "session.rebased.v1",
    "session.token_issued.v1", "user.suspended.v1", "user.reinstated.v1",
]  # fmt: skip


@pytest.fixture
async def log(running: Running) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(running.owner_url)
    yield connection
    await connection.close()


async def live_a_life(http: httpx.AsyncClient, admin: Person) -> Person:
    ada = await register(http, name="Ada Augusta King", username=address().partition("@")[0])
    await ada.refresh()
    assert (await ada.ask("PATCH", "/me", {"name": "Augusta Ada Byron"})).status_code == 200
    await admin.ask("POST", "/roles", {"name": "traveller", "permissions": ["trips.read"], "description": "Goes to Marseille"})
    assert (await admin.ask("PUT", f"/users/{ada.user_id}/roles/traveller")).status_code == 204
    assert (await admin.ask("DELETE", f"/users/{ada.user_id}/roles/traveller")).status_code == 204
    changed = await ada.ask("POST", "/auth/password/change", {"current_password": PASSWORD, "new_password": "quite another phrase now"})
    assert changed.status_code == 200
    ada.tokens = changed.json()
    assert (await admin.ask("POST", f"/users/{ada.user_id}/suspend", {"reason": "abuse", "note": "Wrote to Babbage"})).status_code == 204
    assert (await admin.ask("POST", f"/users/{ada.user_id}/reinstate")).status_code == 204
    return ada


async def sequenced(log: "asyncpg.Connection[asyncpg.Record]", ada: Person) -> list[asyncpg.Record]:
    """Give the events of a person in log order, all of them with a position. Raises TimeoutError."""
    query = "SELECT * FROM event_log WHERE payload->>'user_id' = $1 ORDER BY append_id"
    async with asyncio.timeout(5):
        while True:
            rows = await log.fetch(query, ada.user_id)
            if all(row["position"] for row in rows):
                return rows
            await asyncio.sleep(0.01)


async def messages(running: Running, last: int) -> list[Msg]:
    """Give every message of the stream, which has to reach `last`. Raises TimeoutError."""
    client = await nats.connect(running.nats.url, **proof(running.nats.credentials))
    try:
        found: list[Msg] = []
        subscription = await client.jetstream().subscribe("minos.events.>", ordered_consumer=True, deliver_policy=DeliverPolicy.ALL)
        while not found or found[-1].metadata.sequence.stream < last:
            found.append(await subscription.next_msg(timeout=5))
        return found
    finally:
        await client.close()


async def test_every_step_is_an_event_with_who_did_it(log: Any, http: httpx.AsyncClient, admin: Person) -> None:
    ada = await live_a_life(http, admin)
    rows = [row for row in await sequenced(log, ada) if row["stream"].startswith(("user-", "session-"))]
    assert [row["type"] for row in rows] == JOURNEY
    by = {row["type"]: row["actor"] for row in rows}
    assert by["user.registered.v1"] == "anonymous"
    assert by["user.profile_changed.v1"] == f"user:{ada.user_id}"
    assert by["user.role_granted.v1"] == by["user.suspended.v1"] == f"user:{admin.user_id}"
    assert all(row["payload"]["type"] == row["type"] for row in map(decoded, rows))


async def test_auditors_and_the_person_see_the_same_history(http: httpx.AsyncClient, admin: Person) -> None:
    ada = await live_a_life(http, admin)
    ada.password = "quite another phrase now"
    ada = await ada.sign_in()
    async with asyncio.timeout(5):
        while len(audited := (await admin.get(f"/audit/events?user_id={ada.user_id}&limit=200")).json()["data"]) < len(JOURNEY) + 4:
            await asyncio.sleep(0.02)
    types = [event["type"] for event in reversed(audited)]
    assert [kind for kind in types if kind.startswith(("user.", "session."))][: len(JOURNEY)] == JOURNEY
    own = (await ada.get("/me/history?limit=200")).json()["data"]
    assert {"user.role_granted.v1", "user.suspended.v1", "user.password_set.v1"} <= {row["type"] for row in own}
    assert {row["actor"] for row in own} <= {"anonymous", "administrator", f"user:{ada.user_id}"}


async def test_stream_has_every_event_under_its_position(running: Running, log: Any, http: httpx.AsyncClient, admin: Person) -> None:
    ada = await live_a_life(http, admin)
    last = (await sequenced(log, ada))[-1]["position"]
    found = await messages(running, last)
    rows = {row["position"]: row for row in await log.fetch("SELECT position, event_id, type, stream, version FROM event_log")}
    assert [message.metadata.sequence.stream for message in found] == list(range(1, len(found) + 1))
    for message in found:
        body = msgspec.json.decode(message.data)
        row = rows[message.metadata.sequence.stream]
        assert (body["position"], body["event_id"]) == (row["position"], str(row["event_id"]))
        assert (body["type"], body["stream"], body["version"]) == (row["type"], row["stream"], row["version"])
        assert message.subject == f"minos.events.v1.{body['type'].rpartition('.')[0]}"


async def test_nothing_personal_is_readable_in_the_log_or_on_nats(
    running: Running, log: Any, http: httpx.AsyncClient, admin: Person
) -> None:
    ada = await live_a_life(http, admin)
    last = (await sequenced(log, ada))[-1]["position"]
    told = b"\n".join(message.data + repr((message.subject, message.headers)).encode() for message in await messages(running, last))
    kept = b"\n".join(row["payload"] for row in await log.fetch("SELECT payload FROM events"))
    heads = b"\n".join(row["state"] for row in await log.fetch("SELECT state FROM heads"))
    secrets = [
        ada.email, ada.email.partition("@")[0], "example.org", "Augusta", "Byron", "Babbage", "Marseille", "127.0.0.1", "python-httpx",
        PASSWORD, "quite another phrase now", ada.tokens["refresh_token"].rpartition(".")[2], ada.tokens["access_token"], "argon2",
    ]  # fmt: skip
    for secret in secrets:
        for place in (told, kept, heads):
            assert secret.lower().encode() not in place.lower()
    assert b'"seed"' not in told
    for row in await log.fetch("SELECT type, payload FROM events WHERE key_id IS NOT NULL"):
        event = msgspec.json.decode(row["payload"])
        for name in SEALED_FIELDS[row["type"]]:
            assert event[name] is None or event[name][1].encode() not in told, f"the ciphertext of {name} left the database"


async def test_nothing_secret_is_in_the_log_lines(running: Running, http: httpx.AsyncClient, admin: Person) -> None:
    ada = await live_a_life(http, admin)
    await http.get("/api/v1/users?cursor=not-a-cursor-but-a-secret", headers=ada.bearer)
    for secret in (ada.email, PASSWORD, ada.tokens["access_token"], ada.tokens["refresh_token"], "not-a-cursor-but-a-secret"):
        assert secret not in running.printed


async def test_no_worker_fails_while_all_this_goes_on(running: Running, http: httpx.AsyncClient, admin: Person) -> None:
    await live_a_life(http, admin)
    lines = [line for line in running.printed.splitlines() if '"level":"error"' in line or "Traceback" in line]
    assert lines == []


async def test_read_models_reach_the_end_of_the_log(http: httpx.AsyncClient, admin: Person) -> None:
    await live_a_life(http, admin)
    async with asyncio.timeout(5):
        while any(model["behind"] for model in (await admin.get("/projections")).json()["data"]):
            await asyncio.sleep(0.02)
    models = (await admin.get("/projections")).json()["data"]
    assert {model["name"] for model in models} == {*BY_NAME, "signals"}
    assert {(model["status"], model["parked"]) for model in models} == {("live", 0)}


def decoded(row: asyncpg.Record) -> dict[str, Any]:
    return {**row, "payload": msgspec.json.decode(row["payload"])}
