"""A second factor that is demanded is shown, or enrolled while signing in; at the next refresh, too."""

import base64

import msgspec
import pytest
from msgspec.structs import replace

from commands.complete_sign_in import CompleteSignIn, complete_sign_in
from commands.enrol_at_sign_in import (
    ConfirmTotpAtSignIn,
    EnrolledAndIn,
    OfferAtSignIn,
    RegisterPasskeyAtSignIn,
    confirm_totp_at_sign_in,
    offer_passkey_at_sign_in,
    offer_totp_at_sign_in,
    register_passkey_at_sign_in,
)
from commands.factor_policy import AskAtAudience, AskOfRole, ask_at_audience, ask_of_role
from commands.grant_role import GrantRole, grant_role
from commands.issue_token import IssueToken, issue_token
from commands.reauthenticate import ProvingFactor, Reauthenticate, reauthenticate
from commands.sign_in_challenge import EnrolmentRequired, Factor, FactorRequired
from commands.token_answer import SignedIn
from domain.assurance import Acr
from domain.errors import (
    FactorNotEnrolled,
    InvalidChallenge,
    InvalidFactor,
    NoSuchAudience,
    NoSuchRole,
    ReauthenticationRequired,
    RefreshTokenReused,
    RightsExceeded,
    StrongerFactorRequired,
)
from domain.factor_events import TotpConfirmed
from domain.factor_policy import Requirement, RoleRequirementSet
from domain.ids import AudienceName, RoleName
from domain.role import ADMIN, USER
from domain.session import MINOS
from domain.session_events import SessionStarted
from tests.commands.authenticator import Telephone, enrolled
from tests.commands.passkeys import complete_with, enter, made
from tests.commands.test_authority import define
from tests.commands.test_authority import enter as enter_as
from tests.commands.world import ANYBODY, ISSUER, SYSTEM, World
from tests.software_key import SoftwareKey

ANY, RESISTANT, NONE = Requirement.ANY, Requirement.PHISHING_RESISTANT, Requirement.NONE
TASKS = AudienceName("tasks")


async def demand(world: World, requirement: Requirement, role: RoleName = USER) -> None:
    await ask_of_role(AskOfRole(role=role, requirement=requirement), SYSTEM, world.ports)


async def enrolment(world: World, name: str = "ada", **more: str) -> EnrolmentRequired:
    answer = await world.show_password(name, **more)
    assert isinstance(answer, EnrolmentRequired), answer
    return answer


async def telephone_at_sign_in(world: World, challenge: str) -> tuple[Telephone, EnrolledAndIn]:
    offer = await offer_totp_at_sign_in(OfferAtSignIn(challenge=challenge), ANYBODY, world.ports)
    telephone = Telephone(world, base64.b32decode(offer.secret))
    done = await confirm_totp_at_sign_in(ConfirmTotpAtSignIn(challenge=challenge, code=telephone.code()), ANYBODY, world.ports)
    telephone.recovery_codes = done.enrolled.recovery_codes
    return telephone, done


async def passkey_at_sign_in(world: World, challenge: str) -> tuple[SoftwareKey, EnrolledAndIn]:
    key = SoftwareKey(ISSUER)
    offer = await offer_passkey_at_sign_in(OfferAtSignIn(challenge=challenge), world.ports)
    wish = {"challenge": challenge, "offer": offer.challenge, "attestation": key.make(offer.options)}
    return key, await register_passkey_at_sign_in(msgspec.convert(wish, RegisterPasskeyAtSignIn), ANYBODY, world.ports)


async def test_where_nothing_is_demanded_of_who_signs_in_a_password_is_enough(world: World) -> None:
    await world.register("ada")
    await demand(world, RESISTANT, ADMIN)
    await ask_at_audience(AskAtAudience(audience=AudienceName("notes"), requirement=ANY), SYSTEM, world.ports)
    await world.sign_in("ada")
    await world.sign_in("ada", audience="tasks")


async def test_who_has_no_factor_enrols_one_with_the_challenge_and_is_signed_in(world: World) -> None:
    await world.register("ada")
    await demand(world, ANY)
    answer = await enrolment(world, audience="tasks")
    assert answer.may_enrol == (Factor.PASSKEY, Factor.TOTP)
    telephone, done = await telephone_at_sign_in(world, answer.challenge)
    claims = await world.claims(done.signed_in.access_token)
    assert (claims.aud, claims.acr, claims.amr) == ("tasks", Acr.TWO_FACTOR, ("pwd", "otp", "mfa"))
    assert len(telephone.recovery_codes) == 10
    again = await world.show_password("ada")
    assert isinstance(again, FactorRequired)
    assert [choice.factor for choice in again.factors] == [Factor.TOTP, Factor.RECOVERY_CODE]


async def test_a_passkey_is_enrolled_the_same_way(world: World) -> None:
    await world.register("ada")
    await demand(world, RESISTANT)
    answer = await enrolment(world)
    assert answer.may_enrol == (Factor.PASSKEY,)
    key, done = await passkey_at_sign_in(world, answer.challenge)
    claims = await world.claims(done.signed_in.access_token)
    assert (claims.acr, claims.amr) == (Acr.PHISHING_RESISTANT, ("pwd", "pop", "user", "mfa"))
    await enter(world, key)


async def test_what_would_not_be_enough_is_not_enrolled_at_sign_in(world: World) -> None:
    await world.register("ada")
    await demand(world, RESISTANT)
    answer = await enrolment(world)
    with pytest.raises(InvalidChallenge):
        await offer_totp_at_sign_in(OfferAtSignIn(challenge=answer.challenge), ANYBODY, world.ports)


async def test_a_challenge_enrols_once(world: World) -> None:
    await world.register("ada")
    await demand(world, ANY)
    challenge = (await enrolment(world)).challenge
    await telephone_at_sign_in(world, challenge)
    for enrol in (telephone_at_sign_in, passkey_at_sign_in):
        with pytest.raises(InvalidChallenge):
            await enrol(world, challenge)
    assert len(world.happened(TotpConfirmed)) == 1


async def test_a_wrong_code_enrols_nothing_and_begins_nothing(world: World) -> None:
    await world.register("ada")
    await demand(world, ANY)
    challenge = (await enrolment(world)).challenge
    await offer_totp_at_sign_in(OfferAtSignIn(challenge=challenge), ANYBODY, world.ports)
    with pytest.raises(InvalidFactor):
        await confirm_totp_at_sign_in(ConfirmTotpAtSignIn(challenge=challenge, code="000000"), ANYBODY, world.ports)
    assert world.happened(TotpConfirmed, SessionStarted) == []


async def test_only_what_is_enough_is_offered_and_taken(world: World) -> None:
    ctx = await world.enter("ada")
    telephone = await enrolled(ctx, world)
    again = await world.ctx(await _with_code(world, telephone))
    key, _ = await made(again, world)
    await demand(world, RESISTANT)
    world.clock.forward(1)
    answer = await world.show_password("ada")
    assert isinstance(answer, FactorRequired)
    assert [choice.factor for choice in answer.factors] == [Factor.PASSKEY]
    for factor, code in ((Factor.TOTP, telephone.next_code()), (Factor.RECOVERY_CODE, telephone.recovery_codes[0])):
        with pytest.raises(InvalidFactor):
            await complete_sign_in(CompleteSignIn(challenge=answer.challenge, factor=factor, code=code), ANYBODY, world.ports)
    await complete_with(world, answer, key)


async def _with_code(world: World, telephone: Telephone) -> SignedIn:
    answer = await world.show_password("ada")
    assert isinstance(answer, FactorRequired)
    wish = CompleteSignIn(challenge=answer.challenge, factor=Factor.TOTP, code=telephone.next_code())
    done = await complete_sign_in(wish, ANYBODY, world.ports)
    assert isinstance(done, SignedIn)
    return done


async def test_who_has_a_weaker_factor_shows_it_and_then_enrols_the_stronger(world: World) -> None:
    telephone = await enrolled(await world.enter("ada"), world)
    await demand(world, RESISTANT)
    began = len(world.happened(SessionStarted))
    answer = await world.show_password("ada")
    assert isinstance(answer, FactorRequired)
    assert [choice.factor for choice in answer.factors] == [Factor.TOTP]
    wish = CompleteSignIn(challenge=answer.challenge, factor=Factor.TOTP, code=telephone.next_code())
    step = await complete_sign_in(wish, ANYBODY, world.ports)
    assert isinstance(step, EnrolmentRequired)
    assert len(world.happened(SessionStarted)) == began
    _, done = await passkey_at_sign_in(world, step.challenge)
    assert (await world.claims(done.signed_in.access_token)).amr == ("pwd", "otp", "pop", "user", "mfa")
    assert done.enrolled.recovery_codes == ()


async def test_a_refresh_asks_for_what_is_demanded_now_and_is_worth_something_once_it_was_shown(world: World) -> None:
    await world.register("ada")
    signed_in = await world.sign_in("ada")
    ctx = await world.ctx(signed_in)
    telephone = await enrolled(ctx, world)
    await demand(world, ANY)
    log = len(world.log)
    with pytest.raises(StrongerFactorRequired):
        await issue_token(IssueToken(refresh_token=signed_in.refresh_token), ANYBODY, world.ports)
    assert len(world.log) == log
    await reauthenticate(Reauthenticate(factor=ProvingFactor.TOTP, code=telephone.next_code()), ctx, world.ports)
    await issue_token(IssueToken(refresh_token=signed_in.refresh_token), ANYBODY, world.ports)


async def test_a_role_that_is_granted_brings_its_demand_to_the_next_token(world: World) -> None:
    user_id = await world.register("ada")
    signed_in = await world.sign_in("ada")
    await demand(world, RESISTANT, ADMIN)
    await issue_token(IssueToken(refresh_token=signed_in.refresh_token), ANYBODY, world.ports)
    signed_in = await world.sign_in("ada")
    await grant_role(GrantRole(user_id=user_id, role=ADMIN), SYSTEM, world.ports)
    with pytest.raises(StrongerFactorRequired):
        await issue_token(IssueToken(refresh_token=signed_in.refresh_token), ANYBODY, world.ports)


async def test_a_copied_refresh_token_still_ends_the_family_where_more_is_demanded(world: World) -> None:
    await world.register("ada")
    first = await world.sign_in("ada")
    second = await issue_token(IssueToken(refresh_token=first.refresh_token), ANYBODY, world.ports)
    await issue_token(IssueToken(refresh_token=second.refresh_token), ANYBODY, world.ports)
    await demand(world, ANY)
    with pytest.raises(RefreshTokenReused):
        await issue_token(IssueToken(refresh_token=first.refresh_token), ANYBODY, world.ports)


async def test_a_demand_of_what_is_not_there_is_refused(world: World) -> None:
    with pytest.raises(NoSuchRole):
        await demand(world, ANY, RoleName("nobodys"))
    with pytest.raises(NoSuchAudience):
        await ask_at_audience(AskAtAudience(audience=AudienceName("nowhere"), requirement=ANY), SYSTEM, world.ports)


async def test_nobody_demands_of_a_role_that_gives_more_than_they_have(world: World) -> None:
    await define(world, "clerk", "minos.factors.write")
    await define(world, "editor", "tasks.*")
    clerk = await enter_as(world, "carl", RoleName("clerk"))
    for role in (ADMIN, RoleName("editor")):
        with pytest.raises(RightsExceeded):
            await ask_of_role(AskOfRole(role=role, requirement=NONE), clerk, world.ports)
    await ask_of_role(AskOfRole(role=USER, requirement=NONE), clerk, world.ports)


async def test_the_last_administrator_cannot_lock_themselves_out(world: World) -> None:
    """What they demand of themselves they have shown to work here, a moment ago."""
    root = await enter_as(world, "root", ADMIN)
    for ask in (
        ask_of_role(AskOfRole(role=ADMIN, requirement=RESISTANT), root, world.ports),
        ask_of_role(AskOfRole(role=USER, requirement=ANY), root, world.ports),
        ask_at_audience(AskAtAudience(audience=MINOS, requirement=ANY), root, world.ports),
    ):
        with pytest.raises(ReauthenticationRequired):
            await ask
    assert root.principal is not None
    factorless = replace(root, principal=replace(root.principal, factorless=True))
    with pytest.raises(FactorNotEnrolled):
        await ask_of_role(AskOfRole(role=ADMIN, requirement=ANY), factorless, world.ports)
    await ask_at_audience(AskAtAudience(audience=TASKS, requirement=RESISTANT), root, world.ports)
    key, _ = await made(root, world)
    shown = await world.ctx(await enter(world, key))
    await ask_of_role(AskOfRole(role=ADMIN, requirement=RESISTANT), shown, world.ports)
    await ask_of_role(AskOfRole(role=ADMIN, requirement=NONE), root, world.ports)


async def test_taking_a_demand_back_makes_the_password_enough_again(world: World) -> None:
    await world.register("ada")
    await demand(world, ANY)
    await demand(world, ANY)
    await enrolment(world)
    await demand(world, NONE)
    await world.sign_in("ada")
    assert len(world.happened(RoleRequirementSet)) == 2


async def test_what_is_withheld_is_no_right_to_hand_out(world: World) -> None:
    user_id = await world.register("root")
    await grant_role(GrantRole(user_id=user_id, role=ADMIN), SYSTEM, world.ports)
    signed_in = await world.sign_in("root")
    await demand(world, RESISTANT, ADMIN)
    weak = await world.ctx(signed_in)
    assert weak.principal is not None
    assert (weak.principal.permissions, weak.principal.withheld) == ((), ("*",))
    user_id = await world.register("ada")
    with pytest.raises(RightsExceeded):
        await grant_role(GrantRole(user_id=user_id, role=ADMIN), weak, world.ports)
