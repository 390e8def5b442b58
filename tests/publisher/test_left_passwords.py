"""Keys of passwords that left the history go, also after a crash in between; nobody else's, and none that is remembered."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from adapters import master_key
from adapters.event_store import PostgresEventStore
from adapters.postgres_links import Links
from adapters.random import SystemRandomness
from adapters.vault import PostgresVault
from adapters.wrapping import Wrapping
from commands.ports import NewEvent, StreamWrite
from domain import codec, factors, user
from domain.event import Erased, Event, SealClass, Sealed
from domain.factor_events import RecoveryCodesMade, TotpOffered
from domain.ids import EventId, FactorId, StreamName, UserId
from domain.user_events import PasswordReason, PasswordRehashed, PasswordSet, UserEvent
from tests.conftest import Database
from tests.domain.examples import NOW
from tests.store.commits import commit, write
from workers.reaper import Reaper

DESTROY = "SELECT vault.destroy_left_passwords($1)"
RANDOM = SystemRandomness()


class Desk:
    """A user's stream and keys, as commands make them."""

    def __init__(self, database: Database) -> None:
        self.links = Links(database.app_url)
        self.store = PostgresEventStore(database.app_url)
        self.vault = PostgresVault(self.links, Wrapping([master_key.of_bytes(b"\x01" * 32)]))

    async def close(self) -> None:
        await asyncio.gather(self.vault.close(), self.links.close(), self.store.close())

    async def sealed(self, subject: StreamName, kind: SealClass = SealClass.CREDENTIAL) -> Sealed:
        fields = {"password": "hash"}
        return (await self.vault.seal(subject=subject, seal_class=kind, stream=subject, fields=fields, fresh=True))["password"]

    async def append(self, user_id: UserId, version: int, event: UserEvent, *remembered: Sealed) -> None:
        """With a head that knows these."""
        await self.append_to(user.stream(user_id), version, event, *remembered)

    async def append_to(self, stream: StreamName, version: int, event: Event, *remembered: Sealed) -> None:
        new = NewEvent(
            event_id=EventId(RANDOM.uuid7()), type=codec.tag_of(event), payload=codec.encode_event(event), key_id=codec.key_of(event)
        )
        state = codec.encode_state(remembered)
        appended = await self.store.append(
            commit(StreamWrite(stream=stream, expected=version, events=(new,), state=state, state_version=2))
        )
        assert appended.result == "done"

    async def is_lost(self, sealed: Sealed, subject: StreamName) -> bool:
        return await self.vault.open(sealed, stream=subject, field="password") == Erased()


@pytest.fixture
async def desk(database: Database) -> AsyncIterator[Desk]:
    opened = Desk(database)
    yield opened
    await opened.close()


@pytest.fixture
async def superuser(database: Database) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(database.superuser_url)
    yield connection
    await connection.close()


def chosen(user_id: UserId, password: Sealed, version: int) -> PasswordSet:
    return PasswordSet(
        user_id=user_id, password=password, password_version=version, token_epoch=version, reason=PasswordReason.CHANGED, at=NOW
    )


async def changed_twice(desk: Desk) -> tuple[UserId, list[Sealed]]:
    """A user of whose three passwords the head remembers two."""
    user_id = UserId(RANDOM.uuid7())
    passwords = [await desk.sealed(user.stream(user_id)) for _ in range(3)]
    for version, password in enumerate(passwords):
        await desk.append(user_id, version, chosen(user_id, password, version + 1), *passwords[max(0, version - 1) : version + 1])
    return user_id, passwords


async def sweep(database: Database) -> int:
    reaper = Reaper(database.app_url)
    deleted = await reaper.step()
    await reaper.close()
    return deleted


async def an_hour_passes(superuser: "asyncpg.Connection[asyncpg.Record]") -> None:
    """The log cannot be made older: what looks at it is told to look from the first event on, an hour later."""
    await superuser.execute("ALTER TABLE events DISABLE TRIGGER ALL; ALTER TABLE events_p000000 DISABLE TRIGGER ALL")
    await superuser.execute("UPDATE events SET recorded_at = recorded_at - interval '61 minutes'")
    await superuser.execute("ALTER TABLE events ENABLE TRIGGER ALL; ALTER TABLE events_p000000 ENABLE TRIGGER ALL")


async def test_threat_12_what_left_the_history_is_destroyed_and_what_is_remembered_is_not(desk: Desk) -> None:
    user_id, passwords = await changed_twice(desk)
    stream = user.stream(user_id)
    await desk.vault.destroy_left_passwords(stream)
    assert [await desk.is_lost(each, stream) for each in passwords] == [True, False, False]


async def test_the_weaker_hash_of_a_password_goes_when_a_stronger_one_is_there(desk: Desk) -> None:
    user_id = UserId(RANDOM.uuid7())
    stream = user.stream(user_id)
    weaker, stronger = await desk.sealed(stream), await desk.sealed(stream)
    await desk.append(user_id, 0, chosen(user_id, weaker, 1), weaker)
    await desk.append(user_id, 1, PasswordRehashed(user_id=user_id, password=stronger, password_version=1, at=NOW), stronger)
    await desk.vault.destroy_left_passwords(stream)
    assert [await desk.is_lost(each, stream) for each in (weaker, stronger)] == [True, False]


async def test_nothing_else_that_is_sealed_for_a_user_goes(desk: Desk) -> None:
    """A second factor's seed, a profile, and a password whose change is still under way."""
    user_id, _ = await changed_twice(desk)
    stream = user.stream(user_id)
    others = [await desk.sealed(stream, kind) for kind in (SealClass.CREDENTIAL, SealClass.PROFILE, SealClass.TELEMETRY)]
    await desk.vault.destroy_left_passwords(stream)
    assert [await desk.is_lost(each, stream) for each in others] == [False] * 3


async def test_a_forged_password_event_costs_no_key_of_a_second_factor(desk: Desk) -> None:
    """The serving role can append what it likes to a user's stream, and a head that remembers nothing."""
    user_id, _ = await changed_twice(desk)
    stream = user.stream(user_id)
    seed, codes = await desk.sealed(stream), await desk.sealed(stream)
    enrolled = (
        TotpOffered(user_id=user_id, factor_id=FactorId(RANDOM.uuid7()), seed=seed, at=NOW),
        RecoveryCodesMade(user_id=user_id, verifiers=codes, count=10, at=NOW),
    )
    for version, event in enumerate(enrolled):
        await desk.append_to(factors.stream(user_id), version, event, seed)
    for version, key in enumerate((seed, codes), 3):
        await desk.append(user_id, version, chosen(user_id, key, version + 1))
    await desk.vault.destroy_left_passwords(stream)
    assert [await desk.is_lost(each, stream) for each in (seed, codes)] == [False, False]


async def test_one_user_costs_nobody_elses_keys(desk: Desk) -> None:
    (ada, _), (bob, of_bob) = await changed_twice(desk), await changed_twice(desk)
    await desk.vault.destroy_left_passwords(user.stream(ada))
    assert [await desk.is_lost(each, user.stream(bob)) for each in of_bob] == [False] * 3


async def test_a_head_without_a_state_says_nothing(desk: Desk, superuser: "asyncpg.Connection[asyncpg.Record]") -> None:
    user_id, passwords = await changed_twice(desk)
    stream = user.stream(user_id)
    for state in (None, b""):
        await superuser.execute("UPDATE heads SET state = $2 WHERE stream = $1", stream, state)
        await desk.vault.destroy_left_passwords(stream)
    assert [await desk.is_lost(each, stream) for each in passwords] == [False] * 3


async def test_what_a_crash_left_behind_is_found_by_the_workers(
    desk: Desk, database: Database, superuser: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    user_id, passwords = await changed_twice(desk)
    assert await sweep(database) == 0, "the command may be about to do it"
    await an_hour_passes(superuser)
    assert await sweep(database) == 1
    assert [await desk.is_lost(each, user.stream(user_id)) for each in passwords] == [True, False, False]
    await desk.append(user_id, 3, chosen(user_id, passwords[2], 4), passwords[2])
    assert await sweep(database) == 0


async def test_the_sweep_looks_at_each_event_once_and_at_all_of_them(
    desk: Desk, database: Database, superuser: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    for _ in range(3):
        await changed_twice(desk)
    await desk.store.append(commit(write(StreamName("session-1"), 0)))
    await an_hour_passes(superuser)
    connection = await asyncpg.connect(database.app_url)
    told = [tuple(await connection.fetchrow("SELECT deleted, more FROM vault.sweep_left_passwords('1 hour', 4)") or ()) for _ in range(4)]
    await connection.close()
    assert sum(deleted for deleted, _ in told) == 3
    assert [more for _, more in told] == [True, True, False, False]


async def test_the_serving_role_destroys_no_key_that_is_remembered(database: Database, desk: Desk) -> None:
    user_id, passwords = await changed_twice(desk)
    role_key = await desk.sealed(StreamName("role-editor"))
    connection = await asyncpg.connect(database.app_url)
    for subject in (user.stream(user_id), "role-editor", "user-%", "%", ""):
        await connection.fetchval(DESTROY, subject)
    await connection.close()
    assert [await desk.is_lost(each, user.stream(user_id)) for each in passwords[1:]] == [False, False]
    assert not await desk.is_lost(role_key, StreamName("role-editor"))
