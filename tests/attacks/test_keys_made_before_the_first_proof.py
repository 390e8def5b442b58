"""Pre-hijack with a key: whoever opens an account for another's address makes an API key that is to outlive being thrown out."""

import pytest

from commands.api_keys import MakeApiKey, make_own_key
from commands.ports import MailToken, MailTokenKind
from commands.reset_password import ResetPassword, reset_password
from commands.verify_email import VerifyEmail, verify_email
from domain import api_key
from domain.ids import KeyId
from tests.attacks.test_reset_that_skips_the_second_factor import NEW, link, proved
from tests.commands.conftest import hasher, world
from tests.commands.world import ANYBODY, World

__all__ = ["hasher", "world"]


async def key_of_ada(world: World) -> KeyId:
    ctx = await world.ctx(await world.sign_in("ada"))
    return (await make_own_key(MakeApiKey(name="robot"), ctx, world.ports)).result.key_id


async def lives(world: World, key_id: KeyId) -> bool:
    return isinstance(await world.state(api_key.decider, api_key.stream(key_id)), api_key.Live)


@pytest.mark.parametrize("way", ["verify", "reset"])
async def test_the_first_proof_ends_every_key(world: World, way: str) -> None:
    user_id = await world.register("ada")
    key_id = await key_of_ada(world)
    if way == "reset":
        await reset_password(ResetPassword(token=await link(world), new_password=NEW), ANYBODY, world.ports)
    else:
        claim = (await world.account(user_id)).email_claim
        expires_at = int(world.clock.timestamp()) + 60
        token = MailToken(kind=MailTokenKind.VERIFY, subject=user_id, about=claim, expires_at=expires_at)
        wish = VerifyEmail(token=world.ports.mail_tokens.make(token), new_password=NEW)
        await verify_email(wish, ANYBODY, world.ports)
    assert not await lives(world, key_id)


async def test_a_key_made_while_the_proof_is_under_way_ends_too(world: World) -> None:
    await world.register("ada")
    ctx = await world.ctx(await world.sign_in("ada"))
    made: list[KeyId] = []

    async def overtake(_: object) -> None:
        made.append((await make_own_key(MakeApiKey(name="robot"), ctx, world.ports)).result.key_id)

    token = await link(world)
    world.store.overtake = overtake
    await reset_password(ResetPassword(token=token, new_password=NEW), ANYBODY, world.ports)
    assert made
    assert not await lives(world, made[0])


@pytest.mark.parametrize("too", [True, False])
async def test_acc_15_a_later_reset_ends_keys_when_asked_to(world: World, too: bool) -> None:
    await world.register("ada")
    await proved(world)
    ctx = await world.ctx(await world.sign_in("ada", "the first thing proved here"))
    key_id = (await make_own_key(MakeApiKey(name="robot"), ctx, world.ports)).result.key_id
    await reset_password(ResetPassword(token=await link(world), new_password=NEW, revoke_api_keys=too), ANYBODY, world.ports)
    assert await lives(world, key_id) is not too
