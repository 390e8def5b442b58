"""An audience's rules hold at every token: who may ask, how long it lives, what signs it."""

import base64
import json

import pytest

from commands.audiences import (
    ChangeAudience,
    DefineAudience,
    RetireAudience,
    change_audience,
    define_audience,
    register_audiences,
    retire_audience,
)
from commands.define_role import DefineRole, define_role
from commands.grant_role import GrantRole, RevokeRole, grant_role, revoke_role
from commands.issue_token import IssueToken, issue_token
from commands.signing_keys import RotateSigningKey, rotate_signing_key
from domain.audience import NATS, AudienceDefined, PrincipalKind, Rules
from domain.errors import AudienceNotAllowed, AudienceProtected, RightsExceeded
from domain.ids import AudienceName, RoleName
from domain.permission import Permission
from domain.session import MINOS
from domain.signing_key import Algorithm
from tests.commands.world import ANYBODY, SYSTEM, World

REPORTS = AudienceName("reports")


async def define(world: World, **rules: object) -> None:
    await define_audience(DefineAudience(name=REPORTS, **rules), SYSTEM, world.ports)  # type: ignore[arg-type]  # fields of Rules


def algorithm_of(token: str) -> str:
    head = token.split(".", maxsplit=1)[0]
    return str(json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["alg"])


async def test_tokens_live_as_long_as_their_audience_says(world: World) -> None:
    await define(world, access_token_ttl=60)
    await world.register("ada")
    signed_in = await world.sign_in("ada", audience="reports")
    assert signed_in.expires_in == 60
    refreshed = await issue_token(IssueToken(refresh_token=signed_in.refresh_token), ANYBODY, world.ports)
    assert refreshed.expires_in == 60


async def test_each_audience_is_signed_for_with_its_algorithm(world: World) -> None:
    await define(world, algorithm=Algorithm.EDDSA)
    await world.register("ada")
    mine = (await world.sign_in("ada", audience="reports")).access_token
    assert (algorithm_of(mine), algorithm_of((await world.sign_in("ada")).access_token)) == ("EdDSA", "ES256")
    assert (await world.tokens.verify(mine, audiences=["reports"])).aud == "reports"


async def test_turning_one_algorithms_key_leaves_the_other_signing(world: World) -> None:
    await define(world, algorithm=Algorithm.EDDSA)
    await world.register("ada")
    await rotate_signing_key(RotateSigningKey(algorithm=Algorithm.ES256), SYSTEM, world.ports)
    await rotate_signing_key(RotateSigningKey(algorithm=Algorithm.EDDSA), SYSTEM, world.ports)
    assert algorithm_of((await world.sign_in("ada", audience="reports")).access_token) == "EdDSA"
    assert algorithm_of((await world.sign_in("ada")).access_token) == "ES256"


async def test_who_lacks_the_role_gets_no_token_and_who_loses_it_no_more(world: World) -> None:
    await define_role(DefineRole(name=RoleName("analyst"), permissions=()), SYSTEM, world.ports)
    await define(world, roles=(RoleName("analyst"),))
    ada = await world.register("ada")
    with pytest.raises(AudienceNotAllowed):
        await world.sign_in("ada", audience="reports")
    await grant_role(GrantRole(user_id=ada, role=RoleName("analyst")), SYSTEM, world.ports)
    signed_in = await world.sign_in("ada", audience="reports")
    await revoke_role(RevokeRole(user_id=ada, role=RoleName("analyst")), SYSTEM, world.ports)
    with pytest.raises(AudienceNotAllowed):
        await issue_token(IssueToken(refresh_token=signed_in.refresh_token), ANYBODY, world.ports)


async def test_a_right_password_for_an_audience_that_is_not_theirs_counts_as_no_guess(world: World) -> None:
    await define_role(DefineRole(name=RoleName("analyst"), permissions=()), SYSTEM, world.ports)
    await define(world, roles=(RoleName("analyst"),))
    await world.register("ada")
    for _ in range(6):
        with pytest.raises(AudienceNotAllowed):
            await world.sign_in("ada", audience="reports")
    await world.sign_in("ada")


async def test_an_audience_retired_meanwhile_gets_no_sign_in(world: World) -> None:
    await define(world)
    await world.register("ada")
    await world.sign_in("ada", audience="reports")
    await retire_audience(RetireAudience(audience=REPORTS), SYSTEM, world.ports)
    with pytest.raises(AudienceNotAllowed):
        await world.sign_in("ada", audience="reports")


async def test_threat_6_a_catalogue_holds_nothing_its_maker_lacks(world: World) -> None:
    ctx = await world.enter("ada")
    with pytest.raises(RightsExceeded):
        await define_audience(DefineAudience(name=REPORTS, permissions=(Permission("reports.read"),)), ctx, world.ports)
    await define(world, permissions=(Permission("reports.read"),))
    for rules in (Rules(), Rules(permissions=(Permission("reports.write"),))):
        with pytest.raises(RightsExceeded):
            await change_audience(ChangeAudience(audience=REPORTS, rules=rules), ctx, world.ports)
    with pytest.raises(RightsExceeded):
        await retire_audience(RetireAudience(audience=REPORTS), ctx, world.ports)


async def test_who_will_be_refused_makes_no_signing_key(world: World) -> None:
    ctx = await world.enter("ada")
    before = await world.ports.keys.kids()
    wish = DefineAudience(name=REPORTS, permissions=(Permission("reports.read"),), algorithm=Algorithm.EDDSA)
    with pytest.raises(RightsExceeded):
        await define_audience(wish, ctx, world.ports)
    await define(world, permissions=(Permission("reports.read"),))
    with pytest.raises(RightsExceeded):
        await change_audience(ChangeAudience(audience=REPORTS, rules=wish), ctx, world.ports)
    assert await world.ports.keys.kids() == before


@pytest.mark.parametrize("name", [MINOS, NATS])
async def test_what_is_built_in_can_neither_be_changed_nor_retired(world: World, name: AudienceName) -> None:
    with pytest.raises(AudienceProtected):
        await change_audience(ChangeAudience(audience=name, rules=Rules()), SYSTEM, world.ports)
    with pytest.raises(AudienceProtected):
        await retire_audience(RetireAudience(audience=name), SYSTEM, world.ports)


async def test_every_start_registers_the_audiences_of_the_settings_once(world: World) -> None:
    before = len(world.happened(AudienceDefined))
    for _ in range(2):
        await register_audiences([MINOS, NATS, AudienceName("depot"), AudienceName("tasks")], SYSTEM, world.ports)
    [made] = world.happened(AudienceDefined)[before:]
    assert isinstance(made, AudienceDefined)
    assert (made.audience, made.rules.principals) == ("depot", (PrincipalKind.SERVICE, PrincipalKind.USER))


async def test_a_retired_audience_stays_retired_whatever_the_settings_name(world: World) -> None:
    await retire_audience(RetireAudience(audience=AudienceName("tasks")), SYSTEM, world.ports)
    await register_audiences([AudienceName("tasks")], SYSTEM, world.ports)
    await world.register("ada")
    with pytest.raises(AudienceNotAllowed):
        await world.sign_in("ada", audience="tasks")
