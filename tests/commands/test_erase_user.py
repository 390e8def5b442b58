"""An administrator has somebody erased, within their rights, and services say that they have done so, too (ADM-04, ACC-24)."""

from datetime import timedelta

import pytest

from commands.acknowledge_erasure import AcknowledgeErasure, acknowledge_erasure
from commands.audiences import register_audiences
from commands.erase_me import ask_for_erasure, begin_erasure, withdraw_erasure
from commands.erase_user import AdminAskedBy, EraseUser, erase_user, keep_user
from commands.erasure_preview import holdings
from commands.erasure_receipt import Stage, erasure_receipt
from commands.forget_person import complete_erasure, forget_person, release_barred_names, remind_services
from commands.read_profile import read_profile
from commands.suspend_user import ReinstateUser, SuspendUser, reinstate_user, suspend_user
from domain import errors
from domain.claim import ClaimTaken
from domain.erasure import REMINDERS
from domain.erasure_events import ErasureReminded
from domain.ids import AudienceName, ClaimId, RoleName, UserId
from domain.user_events import AskedBy, NamesFate, UserErased
from tests.commands.machines import machine_ctx, service_account, token_of
from tests.commands.test_authority import ADMIN, define, enter, me
from tests.commands.world import SYSTEM, World

WEEK = 7 * 86_400
TASKS, NOTES = AudienceName("tasks"), AudienceName("notes")


async def forgotten(world: World, user_id: UserId, *, told: tuple[AudienceName, ...] = (TASKS,)) -> None:
    """As the worker does it, once it is due."""
    world.clock.forward(WEEK)
    assert await begin_erasure(user_id, SYSTEM, world.ports)
    assert await forget_person(user_id, (), SYSTEM, world.ports)
    assert await complete_erasure(user_id, told, SYSTEM, world.ports)


def receipt_of(world: World) -> UserErased:
    (event,) = (event for event in world.happened(UserErased) if isinstance(event, UserErased))
    return event


def claims_of(world: World) -> set[ClaimId]:
    return {event.claim_id for event in world.happened(ClaimTaken) if isinstance(event, ClaimTaken)}


async def test_it_waits_and_can_be_thought_better_of(world: World) -> None:
    ada = await world.register("ada")
    due_at = (await erase_user(EraseUser(user_id=ada), SYSTEM, world.ports)).result.due_at
    world.clock.forward(60)
    assert (await erase_user(EraseUser(user_id=ada), SYSTEM, world.ports)).result.due_at == due_at
    assert (await holdings(ada, (), world.ports)).due_at == due_at
    await keep_user(ada, SYSTEM, world.ports)
    world.clock.forward(WEEK)
    assert not await begin_erasure(ada, SYSTEM, world.ports)
    with pytest.raises(errors.NoErasureAsked):
        await keep_user(ada, SYSTEM, world.ports)


async def test_nobody_withdraws_what_another_asked_for(world: World) -> None:
    ctx = await world.enter("ada")
    await erase_user(EraseUser(user_id=me(ctx).user_id, asked_by=AdminAskedBy.LAW), SYSTEM, world.ports)
    with pytest.raises(errors.NoErasureAsked):
        await withdraw_erasure(ctx, world.ports)
    await ask_for_erasure(ctx, world.ports)
    with pytest.raises(errors.NoErasureAsked):
        await keep_user(me(ctx).user_id, SYSTEM, world.ports)
    await withdraw_erasure(ctx, world.ports)


async def test_a_suspension_puts_off_only_what_its_owner_asked_for(world: World) -> None:
    ada = await world.register("ada")
    due_at = (await erase_user(EraseUser(user_id=ada), SYSTEM, world.ports)).result.due_at
    await suspend_user(SuspendUser(user_id=ada), SYSTEM, world.ports)
    assert (await erase_user(EraseUser(user_id=ada), SYSTEM, world.ports)).result.due_at == due_at


async def test_nobody_has_those_erased_who_may_do_more_than_they(world: World) -> None:
    await define(world, "helpdesk", "minos.users.erase")
    root, helper = await enter(world, "root", ADMIN), await enter(world, "sue", RoleName("helpdesk"))
    for act in (erase_user(EraseUser(user_id=me(root).user_id), helper, world.ports), keep_user(me(root).user_id, helper, world.ports)):
        with pytest.raises(errors.RightsExceeded):
            await act
    ada = await world.register("ada")
    await erase_user(EraseUser(user_id=ada), helper, world.ports)


async def test_the_last_administrator_stays(world: World) -> None:
    root = await enter(world, "root", ADMIN)
    root_id = me(root).user_id
    for act in (erase_user(EraseUser(user_id=root_id), SYSTEM, world.ports), holdings(root_id, (), world.ports)):
        with pytest.raises(errors.LastAdminProtected):
            await act


async def test_the_receipt_says_whose_wish_it_was_and_what_was_destroyed_and_names_go_to_a_new_claim(world: World) -> None:
    ada = await world.register("ada")
    held = (await holdings(ada, (), world.ports)).keys
    await erase_user(EraseUser(user_id=ada, asked_by=AdminAskedBy.LAW), SYSTEM, world.ports)
    assert (await erasure_receipt(ada, world.ports)).stage is Stage.ASKED
    await forgotten(world, ada)
    event = receipt_of(world)
    assert (event.asked_by, event.key_count, event.names) == (AskedBy.LAW, held, NamesFate.RELEASED)
    told = await erasure_receipt(ada, world.ports)
    assert (told.stage, told.asked_by, told.missing) == (Stage.COMPLETED, AskedBy.LAW, (TASKS,))
    assert told.receipt is not None
    assert told.receipt.proof == f"/api/v1/audit/proofs?position={told.receipt.position}"
    assert told.backups_until == told.receipt.erased_at + timedelta(days=30)
    claims = claims_of(world)
    again = await world.register("ada")
    assert again != ada
    assert claims_of(world) > claims
    for act in (read_profile(ada, world.ports), erase_user(EraseUser(user_id=ada), SYSTEM, world.ports), holdings(ada, (), world.ports)):
        with pytest.raises(errors.NoSuchUser):
            await act


async def test_of_one_who_was_suspended_nobody_gets_the_names_before_their_time(world: World) -> None:
    ada = await world.register("ada")
    await suspend_user(SuspendUser(user_id=ada), SYSTEM, world.ports)
    await erase_user(EraseUser(user_id=ada), SYSTEM, world.ports)
    await forgotten(world, ada)
    event = receipt_of(world)
    assert (event.names, len(event.barred)) == (NamesFate.BARRED, 2)
    with pytest.raises(errors.EmailTaken):
        await world.register("ada")
    assert not await release_barred_names(ada, SYSTEM, world.ports)
    world.clock.forward(world.ports.policy.barred_names)
    assert await release_barred_names(ada, SYSTEM, world.ports)
    assert not await release_barred_names(ada, SYSTEM, world.ports)
    assert await world.register("ada") != ada


async def test_reinstating_one_who_was_erased_while_suspended_frees_the_names_and_brings_nobody_back(world: World) -> None:
    ada = await world.register("ada")
    await suspend_user(SuspendUser(user_id=ada), SYSTEM, world.ports)
    await erase_user(EraseUser(user_id=ada), SYSTEM, world.ports)
    await forgotten(world, ada)
    await reinstate_user(ReinstateUser(user_id=ada), SYSTEM, world.ports)
    assert await world.register("ada") != ada
    with pytest.raises(errors.NoSuchUser):
        await read_profile(ada, world.ports)


async def test_a_service_acknowledges_for_itself_alone_and_once(world: World) -> None:
    ada = await world.register("ada")
    await register_audiences([TASKS, NOTES], SYSTEM, world.ports)
    own = await service_account(world, "minos.signals.access", "minos.signals.roles.tasks")
    ctx = await machine_ctx(world, await token_of(world, own))
    await erase_user(EraseUser(user_id=ada), SYSTEM, world.ports)
    with pytest.raises(errors.NoSuchErasure):
        await acknowledge_erasure(ada, AcknowledgeErasure(audience=TASKS), ctx, world.ports)
    await forgotten(world, ada, told=(TASKS, NOTES))
    with pytest.raises(errors.PermissionDenied):
        await acknowledge_erasure(ada, AcknowledgeErasure(audience=NOTES), ctx, world.ports)
    person = await world.enter("bob")
    with pytest.raises(errors.PermissionDenied):
        await acknowledge_erasure(ada, AcknowledgeErasure(audience=TASKS), person, world.ports)
    assert (await acknowledge_erasure(ada, AcknowledgeErasure(audience=TASKS), ctx, world.ports)).appended
    assert not (await acknowledge_erasure(ada, AcknowledgeErasure(audience=TASKS), ctx, world.ports)).appended
    told = await erasure_receipt(ada, world.ports)
    assert told.missing == (NOTES,)
    assert [(each.audience, each.acknowledged_at is not None) for each in told.services] == [(NOTES, False), (TASKS, True)]


async def test_who_is_silent_is_told_again_ever_more_rarely_and_not_for_ever(world: World) -> None:
    ada = await world.register("ada")
    await erase_user(EraseUser(user_id=ada), SYSTEM, world.ports)
    await forgotten(world, ada)
    days = 0
    for day in range(1, 90):
        world.clock.forward(86_400)
        if await remind_services(ada, SYSTEM, world.ports):
            days = day
    assert len(world.happened(ErasureReminded)) == REMINDERS
    assert days == 1 + 2 + 4 + 8 + 16
