"""Keys of the erased go because their stream says that they are over: not before, nobody else's, and none comes again."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import asyncpg
import pytest
from nats.aio.client import Client

from adapters import master_key
from adapters.embedded_nats import NatsServer
from adapters.hints import ERASED, Hints
from adapters.postgres_links import Links
from adapters.vault import PostgresVault
from adapters.wrapping import Wrapping
from api.nats_links import forgetting_keys
from domain import erasure, user
from domain.erasure_events import ErasureBegun
from domain.errors import Contended
from domain.event import Erased, SealClass
from domain.ids import StreamName, UserId
from domain.user_events import AskedBy, NamesFate, UserErased
from tests.conftest import Database
from tests.domain.examples import NOW
from tests.publisher.conftest import connection_to
from tests.publisher.test_left_passwords import RANDOM, Desk
from workers import __main__ as workers
from workers.hints import Hint
from workers.remembered import Remembered


@pytest.fixture
async def desk(database: Database) -> AsyncIterator[Desk]:
    opened = Desk(database)
    yield opened
    await opened.close()


@pytest.fixture
async def app(database: Database) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
    connection = await asyncpg.connect(database.app_url)
    yield connection
    await connection.close()


@pytest.fixture
async def owner(database: Database) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
    connection = await asyncpg.connect(database.owner_url)
    yield connection
    await connection.close()


def receipt(user_id: UserId) -> UserErased:
    return UserErased(
        user_id=user_id, asked_by=AskedBy.LAW, keys=(), key_count=1, invitations=(), names=NamesFate.RELEASED, barred=(),
        names_until=None, token_epoch=2, roles_version=2, at=NOW,
    )  # fmt: skip


async def test_keys_go_once_the_log_says_that_an_erasure_began_and_is_done_and_no_others(desk: Desk) -> None:
    ada, bob = UserId(RANDOM.uuid7()), UserId(RANDOM.uuid7())
    of_ada, of_bob = user.stream(ada), user.stream(bob)
    hers, his = await desk.sealed(of_ada), await desk.sealed(of_bob)
    await desk.vault.destroy_keys_of_erased(of_ada)
    assert not await desk.is_lost(hers, of_ada)
    await desk.append_to(of_ada, 0, receipt(ada))
    await desk.vault.destroy_keys_of_erased(of_ada)
    assert not await desk.is_lost(hers, of_ada), "no erasure of hers ever began"
    assert await desk.vault.not_erased([of_ada, of_bob]) == sorted([of_ada, of_bob])
    await desk.append_to(erasure.stream(ada), 0, ErasureBegun(user_id=ada, at=NOW))
    await desk.vault.destroy_keys_of_erased(of_ada)
    assert await desk.is_lost(hers, of_ada)
    assert not await desk.is_lost(his, of_bob)
    with pytest.raises(Contended):
        await desk.sealed(of_ada)
    assert await desk.vault.not_erased([of_ada, of_bob]) == [of_bob]


async def test_the_serving_role_destroys_no_key_by_itself(desk: Desk, app: "asyncpg.Connection[asyncpg.Record]") -> None:
    await desk.sealed(user.stream(UserId(RANDOM.uuid7())))
    for statement in (
        "DELETE FROM vault.subject_keys",
        "INSERT INTO vault.erased_subjects VALUES ('user-x')",
        "DELETE FROM vault.erased_subjects",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app.execute(statement)


MAKE = "INSERT INTO vault.subject_keys (key_id, subject, seal_class, generation, wrapped, kek_id) VALUES ($1, $2, 'profile', 1, '', 'x')"


async def test_a_key_that_was_being_made_goes_too(desk: Desk, app: "asyncpg.Connection[asyncpg.Record]") -> None:
    ada = UserId(RANDOM.uuid7())
    await desk.append_to(user.stream(ada), 0, receipt(ada))
    await desk.append_to(erasure.stream(ada), 0, ErasureBegun(user_id=ada, at=NOW))
    async with app.transaction():
        await app.execute(MAKE, RANDOM.uuid7(), user.stream(ada))
        destroying = asyncio.create_task(desk.vault.destroy_keys_of_erased(user.stream(ada)))
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        while not await app.fetchval(waiting):
            await asyncio.sleep(0.01)
    await destroying
    assert await desk.vault.keys_of([user.stream(ada)]) == []


async def test_an_older_snapshot_makes_no_key(app: "asyncpg.Connection[asyncpg.Record]") -> None:
    with pytest.raises(asyncpg.RaiseError):
        async with app.transaction(isolation="repeatable_read"):
            await app.execute(MAKE, RANDOM.uuid7(), "user-x")


async def test_a_transaction_that_makes_many_keys_takes_few_locks(owner: "asyncpg.Connection[asyncpg.Record]") -> None:
    async with owner.transaction():
        await owner.executemany(MAKE, [(RANDOM.uuid7(), f"user-{n}") for n in range(500)])
        held = await owner.fetchval("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")
    assert 1 < held <= 64


@asynccontextmanager
async def forgetting_in_workers(nats: Client, forget: Callable[[], None]) -> AsyncGenerator[None]:
    remembered = Remembered()
    with remembered.by(forget):
        await workers.listen_to_others(nats, {name: Hint() for name in workers.WOKEN}, remembered)
        yield
    remembered.forget()


@pytest.mark.parametrize("listening", [forgetting_keys, forgetting_in_workers])
async def test_other_processes_forget_at_once_what_they_remember(
    listening: "Callable[[Client, Callable[[], None]], AbstractAsyncContextManager[None]]",
    desk: Desk,
    database: Database,
    owner: "asyncpg.Connection[asyncpg.Record]",
    nats_server: NatsServer,
) -> None:
    ada = StreamName(f"user-{RANDOM.uuid7()}")
    sealed = (await desk.vault.seal(subject=ada, seal_class=SealClass.PROFILE, stream=ada, fields={"name": "Ada"}))["name"]
    links = Links(database.app_url)
    other = PostgresVault(links, Wrapping([master_key.of_bytes(b"\x01" * 32)]))
    here, there = connection_to(nats_server), connection_to(nats_server)
    await asyncio.gather(here.connect(), there.connect())
    async with listening(there.client, other.forget_all):
        assert await other.open(sealed, stream=ada, field="name") == "Ada"
        await owner.execute("DELETE FROM vault.subject_keys")
        assert await other.open(sealed, stream=ada, field="name") == "Ada", "it remembers"
        hints = Hints(here.client, ERASED)
        async with asyncio.timeout(10):
            while await other.open(sealed, stream=ada, field="name") != Erased():
                hints.send()
                await asyncio.sleep(0.02)
        await hints.close()
    await asyncio.gather(here.close(), there.close(), other.close(), links.close())
