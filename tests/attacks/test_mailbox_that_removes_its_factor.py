"""Somebody with a live session and the mailbox, but not the password: a mailed code alone must prove nothing, nor take the factor away
that keeps the mailbox from choosing a new password."""

import pytest
from msgspec.structs import replace

from api.policy import FRESH
from commands.context import Context
from commands.mailed_codes import ask_for_code
from commands.own_factors import list_factors, remove_factor
from commands.reauthenticate import ProvingFactor, Reauthenticate, reauthenticate
from commands.recovery_codes import make_recovery_codes
from commands.step_up import require_proof
from domain.assurance import Acr
from domain.errors import ProofIncomplete, ReauthenticationRequired
from domain.session_events import AuthMethod
from tests.commands.conftest import hasher, world
from tests.commands.mailed import Reader, enabled, reader
from tests.commands.test_authority import me
from tests.commands.world import PASSWORD, World

__all__ = ["hasher", "world"]


async def proved(ctx: Context, mail: Reader, *, password: str | None = None) -> Context:
    asked = await ask_for_code(ctx, mail.world.ports)
    wish = Reauthenticate(password=password, factor=ProvingFactor.EMAIL, challenge=asked.challenge, code=mail.code())
    done = await reauthenticate(wish, ctx, mail.world.ports)
    return replace(ctx, principal=await mail.world.principal(done.result.access_token))


async def test_a_mailed_code_alone_proves_nobody(world: World) -> None:
    """With a proof they would have the account erased, move it to an address of their own, and put its owner out."""
    ctx, mail = await reader(world)
    await enabled(ctx, mail)
    with pytest.raises(ProofIncomplete):
        await proved(ctx, mail)
    owner = await proved(ctx, mail, password=PASSWORD)
    assert (me(owner).acr, me(owner).factorless) == (Acr.TWO_FACTOR, False)
    assert await require_proof(me(owner), FRESH, world.ports) == me(owner)


async def test_it_is_not_said_whether_the_code_was_right(world: World) -> None:
    ctx, mail = await reader(world)
    await enabled(ctx, mail)
    asked = await ask_for_code(ctx, world.ports)
    for code in (mail.code(), mail.wrong_code()):
        with pytest.raises(ProofIncomplete):
            await reauthenticate(Reauthenticate(factor=ProvingFactor.EMAIL, challenge=asked.challenge, code=code), ctx, world.ports)


async def test_a_mailed_code_alone_changes_no_factor(world: World) -> None:
    """Nor does a token that says no more than that, however it was come by."""
    ctx, mail = await reader(world)
    await enabled(ctx, mail)
    (view,) = (await list_factors(mail.user_id, world.ports)).data
    owner = await proved(ctx, mail, password=PASSWORD)
    stolen = replace(owner, principal=replace(me(owner), amr=(AuthMethod.EMAIL,), acr=Acr.ONE_FACTOR))
    for change in (remove_factor(view.factor_id, stolen, world.ports), make_recovery_codes(stolen, world.ports)):
        with pytest.raises(ReauthenticationRequired):
            await change
    await remove_factor(view.factor_id, owner, world.ports)
