"""Somebody with a live session and the mailbox, but not the password: a mailed code alone must not take the factor away that keeps
the mailbox from choosing a new password."""

import pytest
from msgspec.structs import replace

from commands.context import Context
from commands.mailed_codes import ask_for_code
from commands.own_factors import list_factors, remove_factor
from commands.reauthenticate import ProvingFactor, Reauthenticate, reauthenticate
from commands.recovery_codes import make_recovery_codes
from domain.errors import ReauthenticationRequired
from tests.commands.conftest import hasher, world
from tests.commands.mailed import Reader, enabled, reader
from tests.commands.world import PASSWORD, World

__all__ = ["hasher", "world"]


async def proved(ctx: Context, mail: Reader, *, password: str | None = None) -> Context:
    asked = await ask_for_code(ctx, mail.world.ports)
    wish = Reauthenticate(password=password, factor=ProvingFactor.EMAIL, challenge=asked.challenge, code=mail.code())
    done = await reauthenticate(wish, ctx, mail.world.ports)
    return replace(ctx, principal=await mail.world.principal(done.result.access_token))


async def test_a_mailed_code_alone_changes_no_factor(world: World) -> None:
    ctx, mail = await reader(world)
    await enabled(ctx, mail)
    (view,) = (await list_factors(mail.user_id, world.ports)).data
    stolen = await proved(ctx, mail)
    for change in (remove_factor(view.factor_id, stolen, world.ports), make_recovery_codes(stolen, world.ports)):
        with pytest.raises(ReauthenticationRequired):
            await change
    await remove_factor(view.factor_id, await proved(ctx, mail, password=PASSWORD), world.ports)
