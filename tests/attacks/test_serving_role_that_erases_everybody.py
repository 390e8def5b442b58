"""Whoever has the serving role's password appends events that have people erased: keys go at once of a hundred an hour, and no more."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

import asyncpg
import pytest

from adapters.postgres import Connection
from domain import erasure, user
from domain.erasure_events import ErasureAsked, ErasureBegun, ErasureEvent, ErasureWithdrawn
from domain.event import Sealed
from domain.ids import StreamName, UserId
from tests.conftest import Database
from tests.domain.examples import NOW
from tests.publisher.test_destroyed_keys import receipt
from tests.publisher.test_left_passwords import RANDOM, Desk

AT_ONCE = 100


@pytest.fixture
async def desk(database: Database) -> AsyncIterator[Desk]:
    opened = Desk(database)
    yield opened
    await opened.close()


@pytest.fixture
async def superuser(database: Database) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(database.superuser_url)
    yield connection
    await connection.close()


def asked(user_id: UserId) -> ErasureEvent:
    return ErasureAsked(user_id=user_id, due_at=NOW, at=NOW)


def withdrawn(user_id: UserId) -> ErasureEvent:
    return ErasureWithdrawn(user_id=user_id, at=NOW)


def begun(user_id: UserId) -> ErasureEvent:
    return ErasureBegun(user_id=user_id, at=NOW)


async def told_erased(desk: Desk, *events: Callable[[UserId], ErasureEvent]) -> tuple[Sealed, StreamName]:
    """Somebody with a key, of whom the log says now that they are erased."""
    user_id = UserId(RANDOM.uuid7())
    of_user = user.stream(user_id)
    sealed = await desk.sealed(of_user)
    for version, event in enumerate(events or (begun,)):
        await desk.append_to(erasure.stream(user_id), version, event(user_id))
    await desk.append_to(of_user, 0, receipt(user_id))
    return sealed, of_user


async def erased_before(superuser: Connection, count: int) -> None:
    await superuser.execute(
        "INSERT INTO vault.erased_subjects (subject, at_once) SELECT 'user-' || n, true FROM generate_series(1, $1) n", count
    )


async def lost(desk: Desk, victims: Sequence[tuple[Sealed, StreamName]]) -> list[bool]:
    """Whose keys went."""
    await asyncio.gather(*(desk.vault.destroy_keys_of_erased(of_user) for _, of_user in victims))
    return [await desk.is_lost(sealed, of_user) for sealed, of_user in victims]


async def test_keys_of_a_hundred_go_at_once_and_those_of_others_an_hour_later(desk: Desk, superuser: Connection) -> None:
    victims = [await told_erased(desk) for _ in range(4)]
    await erased_before(superuser, AT_ONCE - 1)
    assert sum(await lost(desk, victims)) == 1
    assert sum(await lost(desk, victims)) == 1, "whose keys went already counts once"
    await superuser.execute("UPDATE vault.erased_subjects SET erased_at = erased_at - interval '1 hour'")
    assert sum(await lost(desk, victims)) == 4


@pytest.mark.parametrize(
    ("events", "goes"),
    [
        ([asked, begun], True),
        ([begun], True),
        ([asked, withdrawn, begun], False),
    ],
    ids=["asked for", "begun", "withdrawn"],
)
async def test_of_whom_the_log_told_a_day_before_the_keys_go_in_any_case(
    desk: Desk, superuser: Connection, events: list[Callable[[UserId], ErasureEvent]], *, goes: bool
) -> None:
    await erased_before(superuser, AT_ONCE)
    victim = await told_erased(desk, *events)
    assert await lost(desk, [victim]) == [False]
    await superuser.execute("SET session_replication_role = replica")
    await superuser.execute(
        "UPDATE events SET recorded_at = recorded_at - interval '1 day' WHERE stream LIKE 'erasure-%' AND ($1 OR version < $2)",
        goes, len(events),
    )  # fmt: skip
    assert await lost(desk, [victim]) == [goes]


async def test_nobody_says_that_an_erasure_was_not_at_once(database: Database) -> None:
    thief = await asyncpg.connect(database.app_url)
    for statement in (
        "UPDATE vault.erased_subjects SET at_once = false",
        "INSERT INTO vault.erased_subjects (subject) VALUES ('user-x')",
        "SELECT vault.erasure_is_known('user-x')",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await thief.execute(statement)
    await thief.close()
