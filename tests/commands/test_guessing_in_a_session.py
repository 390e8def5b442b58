"""Who guesses with a stolen session: what they can use up, and of whom."""

import pytest
from msgspec.structs import replace

from adapters.guard import OWN_BUDGET
from commands.change_password import ChangePassword, change_password
from commands.context import Context
from commands.ports import Commit
from commands.reauthenticate import ProvingFactor, Reauthenticate, reauthenticate
from commands.revoke_session import revoke_other_sessions
from commands.step_up import require_proof
from domain.assurance import StepUp
from domain.errors import FactorPaused, InvalidCredentials, InvalidFactor, ReauthenticationRequired
from domain.factor_guard import PAUSE_AFTER
from domain.sign_in_guard import DELAY_AFTER
from domain.user_events import PasswordSet
from tests.commands.authenticator import challenged, complete, enrolled
from tests.commands.world import PASSWORD, World

WRONG = "wrong horse battery"


async def shows_password(world: World, ctx: Context, password: str) -> bool:
    try:
        await reauthenticate(Reauthenticate(password=password), ctx, world.ports)
    except InvalidCredentials:
        return False
    return True


async def test_guesses_in_one_session_keep_nobody_from_proving_it_in_another(world: World) -> None:
    stolen = await world.enter("ada")
    owners = await world.ctx(await world.sign_in("ada"))
    for _ in range(OWN_BUDGET + DELAY_AFTER):
        assert not await shows_password(world, stolen, WRONG)
    assert not await shows_password(world, stolen, PASSWORD)
    assert await shows_password(world, owners, PASSWORD)
    assert not await shows_password(world, stolen, PASSWORD)


async def test_wrong_codes_of_a_session_and_of_sign_ins_are_one_count(world: World) -> None:
    telephone = await enrolled(await world.enter("ada"), world)
    stolen = await world.ctx(await complete(world, await challenged(world), telephone.next_code()))
    for _ in range(OWN_BUDGET + PAUSE_AFTER):
        wish = Reauthenticate(factor=ProvingFactor.TOTP, code=telephone.wrong_code())
        with pytest.raises(InvalidFactor):
            await reauthenticate(wish, stolen, world.ports)
    with pytest.raises(FactorPaused):
        await complete(world, await challenged(world), telephone.next_code())


async def test_a_right_code_in_a_session_makes_up_for_no_wrong_one(world: World) -> None:
    telephone = await enrolled(await world.enter("ada"), world)
    owners = await world.ctx(await complete(world, await challenged(world), telephone.next_code()))
    challenge = await challenged(world)
    for _ in range(PAUSE_AFTER - 1):
        with pytest.raises(InvalidFactor):
            await complete(world, challenge, telephone.wrong_code())
    await reauthenticate(Reauthenticate(factor=ProvingFactor.TOTP, code=telephone.next_code()), owners, world.ports)
    with pytest.raises(InvalidFactor):
        await complete(world, challenge, telephone.wrong_code())
    with pytest.raises(FactorPaused):
        await complete(world, challenge, telephone.next_code())


async def test_a_factor_enrolled_while_a_password_is_being_changed_is_asked_for(world: World) -> None:
    """The proof was enough when it was looked at; the append is what counts."""
    ctx = await world.enter("ada")

    async def enrol(_commit: Commit) -> None:
        await enrolled(ctx, world)

    world.store.overtake = enrol
    wish = ChangePassword(current_password=PASSWORD, new_password="another horse battery")
    with pytest.raises(ReauthenticationRequired):
        await change_password(wish, ctx, world.ports)
    assert len(world.happened(PasswordSet)) == 1


async def test_a_factor_enrolled_after_a_proof_was_taken_without_one_is_asked_for(world: World) -> None:
    ctx = await world.enter("ada")
    assert ctx.principal is not None
    proved = await require_proof(ctx.principal, StepUp(max_age=900), world.ports)
    await enrolled(ctx, world)
    with pytest.raises(ReauthenticationRequired):
        await revoke_other_sessions(replace(ctx, principal=proved), world.ports)
