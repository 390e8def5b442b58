"""Whoever asks about the past leaves a trace of it, or gets no answer."""

from uuid import UUID

import pytest

from commands.audit_asked import record_asked
from commands.context import Context
from commands.define_role import ChangeRolePermissions, DefineRole, change_role_permissions, define_role
from commands.grant_role import GrantRole, grant_role
from commands.identify import identify
from domain.audit import AuditAsked, Matter, Question
from domain.errors import PermissionDenied
from domain.ids import RoleName, UserId
from domain.permission import Permission
from tests.commands.machines import machine_ctx, service_account, token_of
from tests.commands.world import SYSTEM, World

AUDITOR = RoleName("auditor")
READ = Permission("minos.audit.read")
SOMEBODY = UserId(UUID(int=7))


async def test_a_question_is_on_the_stream_of_whoever_asks_it(world: World) -> None:
    ctx = await world.enter("ada")
    assert ctx.principal is not None
    for question in (Question.WHAT_CAN, Question.WHAT_CAN):
        await record_asked(question, ctx, world.ports, Matter(last=9, user_id=SOMEBODY))
    machine = await service_account(world, READ)
    await record_asked(Question.REPLAY, await machine_ctx(world, await token_of(world, machine)), world.ports)
    await record_asked(Question.EXPORT, SYSTEM, world.ports, Matter(first=1, last=9))
    asked = [(e.stream, e.version, e.actor) for e in world.memory.log if e.type == "audit.asked.v1"]
    mine = f"audit-{ctx.principal.user_id}"
    assert asked == [
        (mine, 1, f"user:{ctx.principal.user_id}"),
        (mine, 2, f"user:{ctx.principal.user_id}"),
        (f"audit-{machine}", 1, f"client:{machine}"),
        ("audit", 1, "system:cli"),
    ]
    [first, *_] = world.happened(AuditAsked)
    assert isinstance(first, AuditAsked)
    assert (first.question, first.last, first.user_id) == (Question.WHAT_CAN, 9, SOMEBODY)


async def test_who_lost_the_right_meanwhile_has_asked_nothing(world: World) -> None:
    ada = await world.register("ada")
    await define_role(DefineRole(name=AUDITOR, permissions=(READ,)), SYSTEM, world.ports)
    await grant_role(GrantRole(user_id=ada, role=AUDITOR), SYSTEM, world.ports)
    token = (await world.sign_in("ada")).access_token
    ctx = Context(correlation_id=SYSTEM.correlation_id, principal=await identify(await world.claims(token), world.ports))
    await record_asked(Question.DIFF, ctx, world.ports)
    await change_role_permissions(ChangeRolePermissions(role=AUDITOR, permissions=()), SYSTEM, world.ports)
    with pytest.raises(PermissionDenied):
        await record_asked(Question.DIFF, ctx, world.ports)
    assert len(world.happened(AuditAsked)) == 1
