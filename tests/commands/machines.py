"""Service accounts and their tokens, for tests of what they may do."""

from typing import Any
from uuid import UUID

from commands.context import Context
from commands.machine_answer import machine_claims
from commands.machines import identify_machine
from commands.service_accounts import CreateServiceAccount, create_service_account
from domain import client
from domain.ids import AudienceName, ClientId, CorrelationId
from domain.permission import Permission
from domain.session import MINOS
from tests.commands.world import SYSTEM, World


async def service_account(world: World, *permissions: str, audiences: tuple[str, ...] = ("minos",), **more: Any) -> ClientId:
    wish = CreateServiceAccount(
        name="reporter", audiences=tuple(AudienceName(a) for a in audiences), permissions=tuple(map(Permission, permissions)), **more
    )
    return (await create_service_account(wish, SYSTEM, world.ports)).result.client_id


async def account_of(world: World, client_id: ClientId) -> client.Registered:
    return client.registered(await world.state(client.decider, client.stream(client_id)))


async def token_of(world: World, client_id: ClientId, *, audience: AudienceName = MINOS, ttl: int = 300) -> str:
    account = await account_of(world, client_id)
    claims = machine_claims(account, world.ports, audience=audience, permissions=account.permissions, ttl=ttl, at=world.clock.now)
    return await world.ports.mint.access_token(claims)


async def machine_ctx(world: World, token: str) -> Context:
    """The context of a request that came with this token."""
    return Context(correlation_id=CorrelationId(UUID(int=4)), machine=await identify_machine(await world.claims(token), world.ports))
