"""More is demanded because a password is known; whoever is in with it already must not stay in by ways around the refresh."""

import pytest

from commands.change_password import ChangePassword, change_password
from commands.issue_token import IssueToken, issue_token
from commands.reauthenticate import ProvingFactor, Reauthenticate, reauthenticate
from commands.revoke_session import revoke_other_sessions
from domain.errors import StrongerFactorRequired
from domain.factor_policy import Requirement
from tests.commands.authenticator import enrolled
from tests.commands.conftest import hasher, world
from tests.commands.test_factor_policy import demand
from tests.commands.world import ANYBODY, PASSWORD, World

__all__ = ["hasher", "world"]


async def test_a_proof_that_is_less_than_demanded_makes_no_token_live_longer(world: World) -> None:
    await world.register("ada")
    ctx = await world.ctx(await world.sign_in("ada"))
    await demand(world, Requirement.ANY)
    world.clock.forward(200)
    proof = (await reauthenticate(Reauthenticate(password=PASSWORD), ctx, world.ports)).result
    assert ctx.principal is not None
    claims = await world.claims(proof.access_token)
    assert (claims.exp, proof.expires_in) == (ctx.principal.expires_at, 100)
    assert claims.auth_time > ctx.principal.auth_time


async def test_a_proof_that_is_enough_does(world: World) -> None:
    await world.register("ada")
    ctx = await world.ctx(await world.sign_in("ada"))
    telephone = await enrolled(ctx, world)
    await demand(world, Requirement.ANY)
    wish = Reauthenticate(factor=ProvingFactor.TOTP, code=telephone.next_code())
    assert (await reauthenticate(wish, ctx, world.ports)).result.expires_in == world.ports.policy.access_token_ttl


async def test_throwing_the_others_out_gives_no_pair_where_more_is_demanded(world: World) -> None:
    await world.register("ada")
    signed_in = await world.sign_in("ada")
    ctx = await world.ctx(signed_in)
    await demand(world, Requirement.ANY)
    wish = ChangePassword(current_password=PASSWORD, new_password="quite another horse battery")
    for around in (revoke_other_sessions(ctx, world.ports), change_password(wish, ctx, world.ports)):
        with pytest.raises(StrongerFactorRequired):
            await around
    with pytest.raises(StrongerFactorRequired):
        await issue_token(IssueToken(refresh_token=signed_in.refresh_token), ANYBODY, world.ports)
    await demand(world, Requirement.NONE)
    await issue_token(IssueToken(refresh_token=signed_in.refresh_token), ANYBODY, world.ports)
