"""What is explained is what sign-ins do, at every stage of an account; and each thing that was looked at cites what made it so."""

import pytest

from commands.explain_sign_in import Explained, Input, explain_sign_in
from commands.factor_policy import AskOfRole, ask_of_role
from commands.ports import AttemptOutcome
from commands.sign_in_challenge import EnrolmentRequired, FactorRequired
from commands.suspend_user import ReinstateUser, SuspendUser, reinstate_user, suspend_user
from commands.token_answer import SignedIn
from domain.errors import EmailNotVerified, InvalidCredentials, NoSuchAudience, NoSuchUser
from domain.factor_policy import Requirement
from domain.ids import AudienceName, RoleName, UserId
from domain.session import MINOS
from domain.sign_in_rule import Verdict
from domain.user_events import SuspendReason
from tests.commands.authenticator import enrolled
from tests.commands.world import PASSWORD, SYSTEM, World

USER = RoleName("user")


async def explained(world: World, user_id: UserId, through: int | None = None) -> Explained:
    last = len(world.memory.log) if through is None else through
    return await explain_sign_in(user_id, world.ports, audience=MINOS, at=world.clock.now, through=last)


async def test_an_audience_that_never_was_is_no_reason_to_let_somebody_in(world: World) -> None:
    ada = await world.register("ada")
    with pytest.raises(NoSuchAudience):
        await explain_sign_in(ada, world.ports, audience=AudienceName("nope"), at=world.clock.now, through=len(world.memory.log))


async def happens(world: World) -> Verdict:
    """What a right password leads to, from where nobody is known."""
    try:
        answer = await world.show_password("ada", network="198.51.100.0/24")
    except InvalidCredentials:
        return Verdict.ACCOUNT_SUSPENDED if world.guard.attempts[-1][2] is AttemptOutcome.SUSPENDED else Verdict.LOCKED
    except EmailNotVerified:
        return Verdict.EMAIL_UNVERIFIED
    match answer:
        case SignedIn():
            return Verdict.ALLOWED
        case FactorRequired():
            return Verdict.FACTOR_REQUIRED
        case EnrolmentRequired():
            return Verdict.ENROLMENT_REQUIRED


def given(found: Explained, name: str) -> Input:
    [one] = [each for each in found.inputs if each.name == name]
    return one


async def test_it_says_what_sign_ins_do_at_every_stage(world: World) -> None:
    ada = await world.register("ada")
    seen: list[Verdict] = []

    async def compare() -> None:
        said = (await explained(world, ada)).verdict
        assert said is await happens(world)
        seen.append(said)

    await compare()
    world.set_policy(unverified_sign_in=False)
    await compare()
    world.set_policy(unverified_sign_in=True)
    await suspend_user(SuspendUser(user_id=ada, reason=SuspendReason.ABUSE), SYSTEM, world.ports)
    await compare()
    await reinstate_user(ReinstateUser(user_id=ada), SYSTEM, world.ports)
    await ask_of_role(AskOfRole(role=USER, requirement=Requirement.ANY), SYSTEM, world.ports)
    await compare()
    await ask_of_role(AskOfRole(role=USER, requirement=Requirement.NONE), SYSTEM, world.ports)
    await enrolled(await world.ctx(await world.sign_in("ada")), world)
    await compare()
    for _ in range(5):
        with pytest.raises(InvalidCredentials):
            await world.show_password("ada", "wrong" + PASSWORD, network="198.51.100.0/24")
    await compare()
    assert seen == [
        Verdict.ALLOWED,
        Verdict.EMAIL_UNVERIFIED,
        Verdict.ACCOUNT_SUSPENDED,
        Verdict.ENROLMENT_REQUIRED,
        Verdict.FACTOR_REQUIRED,
        Verdict.LOCKED,
    ]


async def test_the_past_is_explained_as_it_was_then(world: World) -> None:
    ada = await world.register("ada")
    before = len(world.memory.log)
    await suspend_user(SuspendUser(user_id=ada, reason=SuspendReason.ABUSE), SYSTEM, world.ports)
    assert (await explained(world, ada, before)).verdict is Verdict.ALLOWED
    assert (await explained(world, ada, 0)).verdict is Verdict.NO_SUCH_ACCOUNT
    assert (await explained(world, ada)).verdict is Verdict.ACCOUNT_SUSPENDED


async def test_each_input_cites_the_event_that_made_it_so(world: World) -> None:
    ada = await world.register("ada")
    await suspend_user(SuspendUser(user_id=ada, reason=SuspendReason.ABUSE), SYSTEM, world.ports)
    suspended = world.memory.log[-1]
    found = await explained(world, ada)
    status, roles, factors = (given(found, name) for name in ("status", "roles", "factors"))
    assert status.since is not None
    assert (status.value, status.since.event_id, status.since.position) == ("suspended", suspended.event_id, suspended.position)
    assert roles.since is not None
    assert world.memory.log[roles.since.position - 1].type == "user.registered.v1"
    assert (factors.value, factors.since, factors.provable) == ((), None, True)
    assert given(found, "setting_unverified_sign_in").provable is False


async def test_nothing_of_a_password_but_that_there_is_one(world: World) -> None:
    ada = await world.register("ada")
    found = await explained(world, ada)
    assert {each.name for each in found.inputs if "password" in each.name} == {"has_password"}
    assert given(found, "has_password").value is True


async def test_somebody_who_never_was_is_not_explained(world: World) -> None:
    with pytest.raises(NoSuchUser):
        await explained(world, UserId(world.ports.random.uuid7()))
