"""A token for one action, once: also where the action leaves nothing in the log."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from commands.change_email import ChangeEmail, ask_to_change_email
from commands.context import ActionUse, Context
from commands.enrol_passkey import offer_passkey
from commands.mailed_codes import offer_mailed_codes
from domain.errors import ActionTokenUsed
from domain.ids import ActionId, ActionName
from domain.session import MINOS
from tests.commands.conftest import hasher, world
from tests.commands.mailed import reader
from tests.commands.test_authority import me
from tests.commands.world import World

__all__ = ["hasher", "world"]

CALLS: dict[str, Callable[[Context, World], Awaitable[Any]]] = {
    "offer-passkey": lambda ctx, world: offer_passkey(ctx, world.ports),
    "offer-mailed-codes": lambda ctx, world: offer_mailed_codes(ctx, world.ports),
    "change-my-email": lambda ctx, world: ask_to_change_email(ChangeEmail(email="lovelace@example.org"), ctx, world.ports),
}


@pytest.mark.parametrize("action", CALLS)
async def test_what_appends_nothing_of_its_own_uses_it_up(world: World, action: str) -> None:
    ctx, _ = await reader(world)
    caller = me(ctx)
    use = ActionUse(
        action_id=ActionId(UUID(int=7)),
        user_id=caller.user_id,
        session_id=caller.session_id,
        audience=MINOS,
        action=ActionName(action),
        amr=caller.amr,
        factorless=True,
    )
    shown = replace(ctx, action=use)
    await CALLS[action](shown, world)
    with pytest.raises(ActionTokenUsed):
        await CALLS[action](shown, world)
