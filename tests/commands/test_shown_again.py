"""Who did not hear the answer hears its secret again: with the same key, for minutes, while it opens something (threats.md 4)."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from msgspec.structs import replace

from commands.api_keys import MakeApiKey, MakeServiceKey, make_own_key, make_service_key
from commands.client_credentials import RotateClientSecret, rotate_client_secret
from commands.context import Context, Repeat
from commands.ports import KEPT_S
from commands.revoke_api_key import RevokeApiKey, revoke_api_key
from commands.rotate_api_key import RotateApiKey, rotate_api_key
from commands.service_accounts import (
    ChangeServiceAccount,
    CreateServiceAccount,
    DeleteServiceAccount,
    change_service_account,
    create_service_account,
    delete_service_account,
)
from commands.transact import Done
from domain.api_key import ApiKeyMade, ApiKeyRotated
from domain.client_events import ClientRegistered, ClientSecretAdded
from domain.errors import IdempotencyKeyReused, RightsExceeded, SecretNotShownAgain
from domain.event import Event
from domain.ids import AudienceName
from domain.permission import Permission
from tests.commands.machines import service_account
from tests.commands.test_api_keys import READ, supporter
from tests.commands.world import World

TASKS = AudienceName("tasks")
Making = Callable[[World, Context], Awaitable[Done[Any]]]


def keyed(ctx: Context, key: bytes = b"k" * 32, *, sealing: bytes = b"s" * 32) -> Context:
    return replace(ctx, repeat=Repeat(key=key, digest=b"d" * 32, sealing=sealing))


async def own_key(world: World, ctx: Context) -> Done[Any]:
    return await make_own_key(MakeApiKey(name="laptop", permissions=(READ,)), ctx, world.ports)


async def account(world: World, ctx: Context) -> Done[Any]:
    return await create_service_account(CreateServiceAccount(name="w", audiences=(TASKS,), permissions=(READ,)), ctx, world.ports)


async def of_service(world: World, ctx: Context) -> Done[Any]:
    wish = MakeServiceKey(client_id=await existing(world), name="k", permissions=(READ,))
    return await make_service_key(wish, ctx, world.ports)


async def next_secret(world: World, ctx: Context) -> Done[Any]:
    return await rotate_client_secret(RotateClientSecret(client_id=await existing(world)), ctx, world.ports)


async def turned(world: World, ctx: Context) -> Done[Any]:
    made = [e for e in world.happened(ApiKeyMade) if isinstance(e, ApiKeyMade)]
    key_id = made[0].key_id if made else (await make_own_key(MakeApiKey(name="k"), replace(ctx, repeat=None), world.ports)).result.key_id
    assert ctx.principal is not None
    return await rotate_api_key(RotateApiKey(key_id=key_id), ctx, world.ports, owner=ctx.principal.user_id)


async def existing(world: World) -> Any:
    known = [e for e in world.happened(ClientRegistered) if isinstance(e, ClientRegistered)]
    return known[0].client_id if known else await service_account(world, READ)


EVERY: list[tuple[Making, type[Event]]] = [
    (own_key, ApiKeyMade), (of_service, ApiKeyMade), (turned, ApiKeyRotated), (account, ClientRegistered), (next_secret, ClientSecretAdded),
]  # fmt: skip


@pytest.fixture
async def ada(world: World) -> Context:
    return (await supporter(world))[1]


@pytest.mark.parametrize(("making", "event"), EVERY)
async def test_the_same_key_gets_the_same_secret_and_makes_nothing_twice(
    world: World, ada: Context, making: Making, event: type[Event]
) -> None:
    await turned(world, ada)
    await existing(world)
    before = len(world.happened(event))
    first, again = [(await making(world, keyed(ada))).result for _ in range(2)]
    assert first == again
    assert len(world.happened(event)) == before + 1


@pytest.mark.parametrize(("making", "event"), EVERY)
async def test_asked_at_once_all_get_the_secret_of_the_one_that_was_first(
    world: World, ada: Context, making: Making, event: type[Event]
) -> None:
    await turned(world, ada)
    await existing(world)
    before = len(world.happened(event))
    answers = await asyncio.gather(*(making(world, keyed(ada)) for _ in range(5)))
    assert len({repr(vars_of(answer.result)) for answer in answers}) == 1
    assert len(world.happened(event)) == before + 1


def vars_of(answer: Any) -> list[object]:
    return [getattr(answer, name) for name in answer.__struct_fields__]


@pytest.mark.parametrize("making", [making for making, _ in EVERY])
async def test_after_ten_minutes_it_is_not_shown_again_and_not_made_again(world: World, ada: Context, making: Making) -> None:
    await making(world, keyed(ada))
    world.clock.forward(KEPT_S - 1)
    await making(world, keyed(ada))
    world.clock.forward(1)
    written = len(world.memory.log)
    with pytest.raises(SecretNotShownAgain):
        await making(world, keyed(ada))
    assert len(world.memory.log) == written


async def test_what_is_kept_opens_only_under_the_callers_own_key(world: World, ada: Context) -> None:
    """Whoever has the tables, and every key of ours, has not the key that came with the request."""
    secret = (await own_key(world, keyed(ada))).result.api_key
    with pytest.raises(SecretNotShownAgain):
        await own_key(world, keyed(ada, sealing=b"t" * 32))
    assert secret.encode() not in repr(vars(world.ports.shown_secrets)).encode()
    for event in world.memory.log:
        assert secret.encode() not in event.payload


async def test_a_key_that_was_revoked_meanwhile_is_not_shown_again(world: World, ada: Context, admin: Context) -> None:
    made = (await own_key(world, keyed(ada))).result
    await revoke_api_key(RevokeApiKey(key_id=made.key_id), admin, world.ports)
    with pytest.raises(SecretNotShownAgain):
        await own_key(world, keyed(ada))


async def test_a_key_that_was_turned_meanwhile_is_not_shown_as_it_was(world: World, ada: Context) -> None:
    made = (await own_key(world, keyed(ada))).result
    assert ada.principal is not None
    await rotate_api_key(RotateApiKey(key_id=made.key_id, overlap=60), ada, world.ports, owner=ada.principal.user_id)
    assert (await own_key(world, keyed(ada))).result == made
    world.clock.forward(60)
    with pytest.raises(SecretNotShownAgain):
        await own_key(world, keyed(ada))


async def test_a_secret_that_was_replaced_meanwhile_is_not_shown_again(world: World, ada: Context) -> None:
    made = (await account(world, keyed(ada))).result
    for _ in range(2):
        await rotate_client_secret(RotateClientSecret(client_id=made.client_id, overlap=60), ada, world.ports)
    with pytest.raises(SecretNotShownAgain):
        await account(world, keyed(ada))
    await delete_service_account(DeleteServiceAccount(client_id=made.client_id), ada, world.ports)
    with pytest.raises(SecretNotShownAgain):
        await account(world, keyed(ada))


async def test_who_may_not_give_it_any_more_does_not_get_it_again(world: World, ada: Context, admin: Context) -> None:
    made = (await account(world, keyed(ada))).result
    more = (READ, Permission("billing.write"))
    await change_service_account(ChangeServiceAccount(client_id=made.client_id, permissions=more), admin, world.ports)
    with pytest.raises(RightsExceeded):
        await account(world, keyed(ada))


async def test_the_same_key_for_another_wish_is_refused(world: World, ada: Context) -> None:
    await own_key(world, keyed(ada))
    other = replace(ada, repeat=Repeat(key=b"k" * 32, digest=b"e" * 32, sealing=b"s" * 32))
    with pytest.raises(IdempotencyKeyReused):
        await own_key(world, other)
