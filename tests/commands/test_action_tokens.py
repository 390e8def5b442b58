"""A token for one action, once."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from commands.action_tokens import TTL, ActionToken, Bound, ConsumeActionToken, MakeActionToken, consume_action_token, make_action_token
from commands.audiences import ChangeAudience, change_audience
from commands.context import Context
from commands.define_action import ActionWanted, define_action, withdraw_action
from commands.issue_token import IssueToken, issue_token
from commands.revoke_session import RevokeSession, revoke_session
from commands.service_accounts import ChangeServiceAccount, DeleteServiceAccount, change_service_account, delete_service_account
from commands.sign_out import SignOut, sign_out
from commands.token_answer import SignedIn
from domain.action import ActionConsumed
from domain.assurance import Acr
from domain.audience import Rules
from domain.errors import (
    ActionTokenInvalid,
    ActionTokenUsed,
    AudienceNotAllowed,
    AudienceProtected,
    NoSuchAction,
    NoSuchAudience,
    PermissionDenied,
    ReauthenticationRequired,
    UnfitVerifier,
)
from domain.ids import ActionName, AudienceName, ClientId
from tests.commands.machines import machine_ctx, service_account, token_of
from tests.commands.world import ANYBODY, SYSTEM, World

TASKS, CLOSE = AudienceName("tasks"), ActionName("close")
REQUEST = Bound(method="POST", path="/accounts/7/close", parameters="p" * 43)


@pytest.fixture
async def world(world: World) -> World:
    await world.register("ada")
    return world


async def made(world: World, who: SignedIn, action: str = "tasks:close", request: Bound = REQUEST) -> ActionToken:
    claims = await world.claims(who.access_token)
    wish = MakeActionToken(action=action, method=request.method, path=request.path, parameters=request.parameters)
    return await make_action_token(wish, await world.principal(who.access_token), claims, world.ports, own_rule=None)


def shown(token: ActionToken, who: SignedIn, action: str = "tasks:close", request: Bound = REQUEST) -> ConsumeActionToken:
    return ConsumeActionToken(
        action_token=token.action_token,
        action=action,
        session_id=who.session_id,
        method=request.method,
        path=request.path,
        parameters=request.parameters,
    )


async def service(world: World) -> Context:
    """The context of a service account that may use up action tokens, of whichever action it is registered for."""
    client_id = await service_account(world, "minos.actions.consume", audiences=("minos", "tasks", "notes"))
    return await machine_ctx(world, await token_of(world, client_id))


async def register(world: World, who: Context, audience: AudienceName = TASKS, action: ActionName = CLOSE, **more: Any) -> None:
    assert who.machine is not None
    assert who.machine.client_id is not None
    await define_action(audience, action, ActionWanted(verifiers=(who.machine.client_id,), **more), SYSTEM, world.ports)


@pytest.fixture
async def verifier(world: World) -> Context:
    """The service behind the audience `tasks`, whose action `close` is registered."""
    tasks = await service(world)
    await register(world, tasks)
    return tasks


async def test_a_token_is_used_up_once(world: World, verifier: Context) -> None:
    who = await world.sign_in("ada", audience="tasks")
    token = await made(world, who)
    done = (await consume_action_token(shown(token, who), verifier, world.ports)).result
    assert (done.user_id, done.session_id, done.action) == (who.user_id, who.session_id, "tasks:close")
    with pytest.raises(ActionTokenUsed):
        await consume_action_token(shown(token, who), verifier, world.ports)
    assert len(world.happened(ActionConsumed)) == 1


async def test_attack_action_token_used_many_times_in_parallel(world: World, verifier: Context) -> None:
    who = await world.sign_in("ada", audience="tasks")
    token = await made(world, who)
    answers = await asyncio.gather(
        *(consume_action_token(shown(token, who), verifier, world.ports) for _ in range(20)), return_exceptions=True
    )
    assert sum(isinstance(answer, ActionTokenUsed) for answer in answers) == 19
    assert len(world.happened(ActionConsumed)) == 1


@pytest.mark.usefixtures("verifier")
async def test_making_one_writes_nothing(world: World) -> None:
    who = await world.sign_in("ada", audience="tasks")
    before = len(world.memory.log)
    await made(world, who)
    assert len(world.memory.log) == before


async def test_attack_action_token_for_another_session(world: World, verifier: Context) -> None:
    who, other = await world.sign_in("ada", audience="tasks"), await world.sign_in("ada", audience="tasks")
    with pytest.raises(ActionTokenInvalid):
        await consume_action_token(shown(await made(world, who), other), verifier, world.ports)


@pytest.mark.parametrize("changed", [{"method": "GET"}, {"path": "/accounts/8/close"}, {"parameters": "q" * 43}, {"parameters": None}])
async def test_attack_action_token_for_other_parameters(world: World, verifier: Context, changed: dict[str, str | None]) -> None:
    who = await world.sign_in("ada", audience="tasks")
    token = await made(world, who)
    with pytest.raises(ActionTokenInvalid):
        await consume_action_token(shown(token, who, request=replace(REQUEST, **changed)), verifier, world.ports)
    assert world.happened(ActionConsumed) == []


async def test_attack_action_token_for_another_action(world: World, verifier: Context) -> None:
    await register(world, verifier, action=ActionName("open"))
    who = await world.sign_in("ada", audience="tasks")
    token = await made(world, who, "tasks:open")
    with pytest.raises(ActionTokenInvalid):
        await consume_action_token(shown(token, who), verifier, world.ports)


@pytest.mark.usefixtures("verifier")
async def test_attack_action_token_for_another_audience(world: World) -> None:
    of_notes = await service(world)
    await register(world, of_notes, AudienceName("notes"))
    who = await world.sign_in("ada", audience="tasks")
    token = await made(world, who)
    with pytest.raises(AudienceNotAllowed):
        await made(world, who, "notes:close")
    with pytest.raises(ActionTokenInvalid):
        await consume_action_token(shown(token, who, "notes:close"), of_notes, world.ports)


async def test_only_a_verifier_of_the_action_uses_it_up(world: World, verifier: Context) -> None:
    who = await world.sign_in("ada", audience="tasks")
    token = await made(world, who)
    for ctx in (await service(world), await world.ctx(await world.sign_in("ada")), SYSTEM):
        with pytest.raises(PermissionDenied):
            await consume_action_token(shown(token, who), ctx, world.ports)
    await consume_action_token(shown(token, who), verifier, world.ports)


async def test_attack_action_token_used_up_by_a_service_that_lost_its_audience(world: World, verifier: Context) -> None:
    assert verifier.machine is not None
    assert verifier.machine.client_id is not None
    who, mine = await world.sign_in("ada", audience="tasks"), verifier.machine.client_id
    token = await made(world, who)
    for audiences in (("minos", "notes"), ("minos", "tasks")):
        change = ChangeServiceAccount(client_id=mine, audiences=tuple(map(AudienceName, audiences)))
        await change_service_account(change, SYSTEM, world.ports)
        verifier = await machine_ctx(world, await token_of(world, mine))
        if "tasks" not in audiences:
            with pytest.raises(PermissionDenied):
                await consume_action_token(shown(token, who), verifier, world.ports)
    await change_audience(ChangeAudience(audience=TASKS, rules=Rules(clients=(ClientId("another"),))), SYSTEM, world.ports)
    with pytest.raises(PermissionDenied):
        await consume_action_token(shown(token, who), verifier, world.ports)
    await change_audience(ChangeAudience(audience=TASKS, rules=Rules(clients=(mine,))), SYSTEM, world.ports)
    await consume_action_token(shown(token, who), verifier, world.ports)


async def test_it_lives_two_minutes(world: World, verifier: Context) -> None:
    who = await world.sign_in("ada", audience="tasks")
    token, late = await made(world, who), await made(world, who)
    world.clock.forward(TTL - 1)
    await consume_action_token(shown(token, who), verifier, world.ports)
    world.clock.forward(1)
    with pytest.raises(ActionTokenInvalid):
        await consume_action_token(shown(late, who), verifier, world.ports)


@pytest.mark.parametrize("everywhere", [False, True])
async def test_it_dies_with_its_session(world: World, verifier: Context, everywhere: bool) -> None:
    who = await world.sign_in("ada", audience="tasks")
    token = await made(world, who)
    if everywhere:
        own = await world.sign_in("ada")
        await sign_out(SignOut(everywhere=True), await world.claims(own.access_token), ANYBODY, world.ports)
    else:
        await revoke_session(RevokeSession(session_id=who.session_id), await world.ctx(await world.sign_in("ada")), world.ports)
    with pytest.raises(ActionTokenInvalid):
        await consume_action_token(shown(token, who), verifier, world.ports)


@pytest.mark.usefixtures("verifier")
async def test_attack_step_up_by_refreshed_token(world: World) -> None:
    who = await world.sign_in("ada", audience="tasks")
    world.clock.forward(301)
    refreshed = await issue_token(IssueToken(refresh_token=who.refresh_token), ANYBODY, world.ports)
    with pytest.raises(ReauthenticationRequired):
        await made(world, refreshed)


async def test_a_weaker_proof_than_the_action_asks_is_not_enough(world: World, verifier: Context) -> None:
    await register(world, verifier, acr=Acr.TWO_FACTOR)
    with pytest.raises(ReauthenticationRequired) as refused:
        await made(world, await world.sign_in("ada", audience="tasks"))
    assert refused.value.acr == Acr.TWO_FACTOR


async def test_a_withdrawn_action_is_none(world: World, verifier: Context) -> None:
    who = await world.sign_in("ada", audience="tasks")
    token = await made(world, who)
    await withdraw_action(TASKS, CLOSE, SYSTEM, world.ports)
    with pytest.raises(NoSuchAction):
        await made(world, who)
    with pytest.raises(NoSuchAction):
        await consume_action_token(shown(token, who), verifier, world.ports)


async def test_what_we_did_not_seal_is_no_action_token(world: World, verifier: Context) -> None:
    who = await world.sign_in("ada", audience="tasks")
    token = await made(world, who)
    flipped = token.action_token[:-5] + ("A" if token.action_token[-5] != "A" else "B") + token.action_token[-4:]
    for forged in (flipped, token.action_token.removeprefix("mat_"), who.access_token, who.refresh_token, "mat_", ""):
        with pytest.raises(ActionTokenInvalid):
            await consume_action_token(replace(shown(token, who), action_token=forged), verifier, world.ports)


async def test_who_does_not_act_for_the_audience_is_no_verifier(world: World) -> None:
    """Whoever registers an action learns of a slip then, not when its first token cannot be used up."""
    fit, unfit = [await service_account(world, "minos.actions.consume", audiences=("minos", each)) for each in ("tasks", "notes")]
    gone = await service_account(world, "minos.actions.consume", audiences=("minos", "tasks"))
    await delete_service_account(DeleteServiceAccount(client_id=gone), SYSTEM, world.ports)
    others = (unfit, gone, ClientId("client_typo"))
    with pytest.raises(UnfitVerifier) as refused:
        await define_action(TASKS, CLOSE, ActionWanted(verifiers=(fit, *others)), SYSTEM, world.ports)
    assert set(refused.value.clients) == set(others)
    assert all(each in str(refused.value) for each in others)
    await define_action(TASKS, CLOSE, ActionWanted(verifiers=(fit,)), SYSTEM, world.ports)


async def test_the_actions_of_minos_or_of_no_audience_are_not_registered(world: World) -> None:
    with pytest.raises(AudienceProtected):
        await define_action(AudienceName("minos"), CLOSE, ActionWanted(verifiers=(ClientId("client_tasks"),)), SYSTEM, world.ports)
    with pytest.raises(NoSuchAudience):
        await define_action(AudienceName("nobody"), CLOSE, ActionWanted(verifiers=(ClientId("client_tasks"),)), SYSTEM, world.ports)
