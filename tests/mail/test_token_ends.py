"""Service tokens that end soon: said once in the log by whoever keeps time, and seen in the figures."""

from collections.abc import Sequence
from datetime import timedelta

import asyncpg
from msgspec.structs import replace

from commands.client_credentials import revoke_client_tokens
from commands.service_accounts import (
    ChangeServiceAccount,
    CreateServiceAccount,
    DeleteServiceAccount,
    DisableServiceAccount,
    EnableServiceAccount,
    change_service_account,
    create_service_account,
    delete_service_account,
    disable_service_account,
    enable_service_account,
)
from commands.transact import Transaction, transact
from domain import machine_token
from domain.ids import ClientId, TokenId
from domain.permission import Permission
from domain.session import MINOS
from projections.reading import ReadModels
from projections.service_tokens import Endings, ending, endings, page
from tests.domain.examples import KID
from tests.mail.conftest import ANYBODY, Office
from tests.mail.test_deleted_accounts import projected
from workers.timekeeper import Timekeeper

CLI = replace(ANYBODY, system="cli")
READ = Permission("tickets.read")


async def issued(office: Office, client_id: ClientId, *, days_ago: float, ends_in_days: float) -> TokenId:
    """As the command does, at another time."""
    token_id = TokenId(office.ports.random.uuid7())
    stream = machine_token.stream(token_id)

    def decide(tx: Transaction) -> None:
        events = machine_token.issue(
            tx.state(machine_token.decider, stream), token_id=token_id, client_id=client_id, audience=MINOS, permissions=[READ],
            kid=KID, expires_at=tx.at + timedelta(days=ends_in_days), at=tx.at - timedelta(days=days_ago),
        )  # fmt: skip
        tx.record(machine_token.decider, stream, events)

    await transact(office.ports, CLI, [(machine_token.decider, stream)], decide)
    return token_id


async def told(office: Office) -> list[str]:
    rows = await office.owner.fetch("SELECT stream FROM events WHERE type = 'token.expires_soon.v1' ORDER BY stream")
    return [row["stream"] for row in rows]


async def still_to_be_told(office: Office) -> Sequence[TokenId]:
    async with asyncpg.create_pool(office.database.app_url, min_size=0, max_size=1) as pool:
        return await ending(ReadModels(pool), 50)


async def account(office: Office) -> ClientId:
    wish = CreateServiceAccount(name="r", audiences=(MINOS,), permissions=(READ,))
    return (await create_service_account(wish, CLI, office.ports)).result.client_id


async def test_tokens_that_died_with_an_epoch_of_their_account_are_none(office: Office) -> None:
    """Deleted, disabled, given fewer rights, or all its tokens revoked: neither listed, nor counted, nor said to end soon."""
    gone, less, off, revoked = [await account(office) for _ in range(4)]
    for each in (gone, less, off, revoked):
        await issued(office, each, days_ago=80, ends_in_days=10)
    await delete_service_account(DeleteServiceAccount(client_id=gone), CLI, office.ports)
    await change_service_account(ChangeServiceAccount(client_id=less, permissions=()), CLI, office.ports)
    await disable_service_account(DisableServiceAccount(client_id=off), CLI, office.ports)
    await enable_service_account(EnableServiceAccount(client_id=off), CLI, office.ports)
    await revoke_client_tokens(revoked, CLI, office.ports)
    good = [await issued(office, revoked, days_ago=0, ends_in_days=5)]
    await projected(office)
    async with asyncpg.create_pool(office.database.app_url, min_size=0, max_size=1) as pool:
        models = ReadModels(pool)
        assert [row.token_id for row in (await page(models)).rows] == good
        assert [row.token_id for row in (await page(models, client_id=revoked)).rows] == good
        assert await ending(models, 50) == []
        assert (await endings(models)).soon == 0


async def test_what_ends_soon_is_said_once_and_counted_until_it_has_ended(office: Office) -> None:
    client_id = await account(office)
    soon = [await issued(office, client_id, days_ago=80, ends_in_days=10), await issued(office, client_id, days_ago=0.9, ends_in_days=0.1)]
    await issued(office, client_id, days_ago=80, ends_in_days=15)
    await issued(office, client_id, days_ago=1, ends_in_days=9)
    seen: list[Endings] = []
    keeper = Timekeeper(office.settings, seen=seen.append)
    counts: list[int] = []
    await projected(office)
    assert set(await still_to_be_told(office)) == set(soon)
    for _ in range(3):
        await projected(office)
        counts.append(await keeper.step())
    assert counts == [2, 0, 0]
    assert await still_to_be_told(office) == []
    assert await told(office) == sorted(machine_token.stream(token_id) for token_id in soon)
    assert [each.soon for each in seen] == [2, 2, 2]
    first = await office.owner.fetchval("SELECT clock_timestamp() + interval '0.1 days'")
    assert seen[0].first_at is not None
    assert abs(seen[0].first_at - first) < timedelta(minutes=5)
