"""Starting, stopping, crashing, starting again; and running on servers that somebody else keeps."""

import asyncio
import signal
from collections.abc import Iterable
from pathlib import Path

import asyncpg
import httpx

from adapters.embedded_nats import NatsServer
from adapters.embedded_postgres import PostgresServer
from bench.running import Running
from cli.work import BESIDE_THE_API
from tests.e2e.conftest import CHEAP_HASHES
from tests.e2e.people import Person, bootstrap, client_of, register
from tests.niceness import gives_way


async def test_second_up_in_the_same_folder_says_so_and_leaves_the_first_alone(running: Running, admin: Person) -> None:
    second = await running.minos("up")
    assert second.code == 2
    assert "is in use by the running program" in second.err
    assert await admin.is_signed_in()


async def test_workers_let_answers_go_first(running: Running, admin: Person) -> None:
    assert await admin.is_signed_in()
    async with asyncio.timeout(5):
        while not gives_way(running.pid("workers"), BESIDE_THE_API):
            await asyncio.sleep(0.05)
    assert all(not gives_way(running.pid(part), BESIDE_THE_API) for part in ("api", "nats", "postgres"))


async def test_taken_port_is_named_before_anything_starts(running: Running, own_folder: Path) -> None:
    other = Running(own_folder, port=running.url.rpartition(":")[2], **CHEAP_HASHES)
    refused = await other.minos("up")
    assert refused.code == 2
    assert "MINOS_PORT" in refused.err
    assert not (own_folder / "data").exists()


async def test_stopping_finishes_what_is_under_way_and_starting_again_finds_all_of_it(own_folder: Path) -> None:
    running = Running(own_folder, shutdown_grace="300", **CHEAP_HASHES)  # whoever used it up would have to be killed
    await running.start()
    async with client_of(running) as http:
        admin = await bootstrap(http, running.bootstrap_code)
        people = [await register(http) for _ in range(4)]
        answers = await under_load(running, people)
        assert all(answers.values())
        assert {status for statuses in answers.values() for status in statuses} <= {200, 503}, "a request was answered with a fault"
        await running.start()
        answered = {session: 1 + statuses.count(200) for session, statuses in answers.items()}
        assert await issued(running, answered) == answered, "a token was issued and its answer cut off"
        assert [await person.is_signed_in() for person in (admin, *people)] == [True] * 5
        assert (await admin.get("/users?limit=200")).status_code == 200
        follower = await following(admin)
        async with http.stream("GET", "/api/v1/signals/stream", headers=follower_fields(admin)) as signals:
            assert signals.status_code == 200
            await running.stop(signal.SIGTERM)
            assert (await signals.aread()).startswith(b"retry: "), "it was cut off, not ended"
        assert (await follower).json()["data"] == []


def follower_fields(reader: Person) -> dict[str, str]:
    return {"Authorization": f"Bearer {reader.tokens['access_token']}"}


async def following(reader: Person) -> "asyncio.Task[httpx.Response]":
    """Let them wait for an event that does not come."""
    after = (await reader.get("/events")).json()["size"]
    waiting = asyncio.create_task(reader.get(f"/events?after={after}&wait=25"))
    for _ in range(3):  # it is asked before these are answered
        await reader.get("/me")
    return waiting


async def under_load(running: Running, people: list[Person]) -> dict[str, list[int]]:
    """Let people refresh without a pause while Ctrl-C is pressed. Gives the statuses by session.

    A request that meets a connection as it is being closed is lost on the way (RFC 9112 9.5): it must have done nothing.
    """
    answers: dict[str, list[int]] = {person.session_id: [] for person in people}

    async def refresh(person: Person) -> None:
        while True:
            try:
                answers[person.session_id].append((await person.refresh()).status_code)
            except (httpx.ConnectError, httpx.RemoteProtocolError, httpx.ReadError):
                return

    loads = [asyncio.create_task(refresh(person)) for person in people]
    await asyncio.sleep(0.5)
    await running.stop()
    await asyncio.gather(*loads)
    return answers


async def issued(running: Running, sessions: Iterable[str]) -> dict[str, int]:
    """Give how many tokens the log says each session was issued."""
    connection = await asyncpg.connect(running.database_url)
    try:
        query = "SELECT count(*) FROM events WHERE stream = $1 AND type = 'session.token_issued.v1'"
        return {session: await connection.fetchval(query, f"session-{session}") for session in sessions}
    finally:
        await connection.close()


async def test_killed_whole_starts_again_with_everything_it_had_acknowledged(own_folder: Path) -> None:
    running = Running(own_folder, **CHEAP_HASHES)
    await running.start()
    async with client_of(running) as http:
        admin = await bootstrap(http, running.bootstrap_code)
        ada = await register(http)
        await running.crash()
        await running.start()
        assert await ada.is_signed_in()
        assert (await ada.refresh()).status_code == 200
        assert (await admin.get(f"/users/{ada.user_id}")).json()["email"] == ada.email
    await running.stop()


async def test_each_killed_part_comes_back_by_itself(own_folder: Path) -> None:
    async with Running(own_folder, **CHEAP_HASHES) as running, client_of(running) as http:
        ada = await bootstrap(http, running.bootstrap_code)
        for part in ("workers", "nats", "postgres", "api"):
            await running.restarted(part, running.kill(part))
            assert await eventually_signed_in(ada), part
        await until_caught_up(running)


async def eventually_signed_in(person: Person) -> bool:
    async with asyncio.timeout(15):
        while True:
            try:
                answer = await person.get("/auth/session")
                if answer.status_code != 503:
                    return answer.status_code == 200
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.05)


async def until_caught_up(running: Running) -> None:
    """Raises TimeoutError unless every event gets its position and every read model it."""
    connection = await asyncpg.connect(running.owner_url)
    try:
        async with asyncio.timeout(15):
            while not await connection.fetchval(
                "SELECT (SELECT size FROM log_head) = (SELECT count(*) FROM events)"
                " AND NOT EXISTS (SELECT FROM projection_state WHERE position < (SELECT size FROM log_head))"
            ):
                await asyncio.sleep(0.05)
    finally:
        await connection.close()


async def test_given_servers_are_used_and_left_running(own_folder: Path) -> None:
    postgres, nats = PostgresServer(own_folder / "postgres"), NatsServer(own_folder / "nats")
    await asyncio.gather(postgres.start(), nats.start())
    try:
        broker = {"nats_url": nats.url, "nats_credentials": str(nats.credentials)}
        given = {"database_url": postgres.app_url, "migration_database_url": postgres.owner_url, **broker}
        async with Running(own_folder / "minos", master_key="A" * 43 + "=", **given, **CHEAP_HASHES) as running, client_of(running) as http:
            ada = await bootstrap(http, running.bootstrap_code)
            assert not (running.data / "postgres").exists()
            assert not (running.data / "nats").exists()
            found = await running.minos("doctor")
            assert found.code == 0, found.out
            assert (await running.minos("migrate", "--check")).code == 0
            assert await ada.is_signed_in()
        assert (postgres.pid, nats.pid) != (None, None)
        connection = await asyncpg.connect(postgres.app_url)
        assert await connection.fetchval("SELECT count(*) FROM events") > 0
        await connection.close()
    finally:
        await asyncio.gather(postgres.stop(), nats.stop())
