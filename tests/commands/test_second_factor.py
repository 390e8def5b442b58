"""A password is no longer enough: enrolling a second factor, and signing in with it."""

import asyncio

import pytest
from msgspec.structs import replace

from adapters.guard import OWN_BUDGET
from commands.change_password import ChangePassword, change_password
from commands.enrol_totp import ConfirmTotp, confirm_totp, offer_totp
from commands.issue_token import IssueToken, issue_token
from commands.own_factors import list_factors, remove_factor
from commands.ports import SignInChallenge
from commands.reauthenticate import Reauthenticate, reauthenticate
from commands.recovery_codes import make_recovery_codes
from commands.sign_in_challenge import LIFE, Factor, FactorRequired
from commands.suspend_user import SuspendUser, suspend_user
from domain import factors, totp
from domain.assurance import Acr
from domain.errors import (
    FactorBlocked,
    FactorNotEnrolled,
    FactorPaused,
    InvalidChallenge,
    InvalidCredentials,
    InvalidFactor,
    NoSuchFactor,
    ReauthenticationRequired,
)
from domain.factor_events import GuessingPaused, RecoveryCodeUsed, TotpConfirmed, TotpUsed
from domain.factor_guard import PAUSE_AFTER, PAUSES
from domain.ids import FactorId, UserId
from domain.session_events import SessionStarted
from domain.sign_in_guard import DELAY_AFTER, MOST_FAILURES, WAITS
from tests.commands.authenticator import Telephone, challenged, complete, enrolled, offered
from tests.commands.world import ANYBODY, ELSEWHERE, PASSWORD, SYSTEM, World

RECOVERY = Factor.RECOVERY_CODE
WRONG = "wrong horse battery"


async def ada_with_telephone(world: World) -> tuple[UserId, Telephone]:
    ctx = await world.enter("ada")
    assert ctx.principal is not None
    return ctx.principal.user_id, await enrolled(ctx, world)


async def test_a_seed_on_offer_asks_for_nothing_at_sign_in(world: World) -> None:
    await offered(await world.enter("ada"), world)
    await world.sign_in("ada")


async def test_the_seed_is_sealed_and_none_of_it_is_in_the_log(world: World) -> None:
    _, telephone = await ada_with_telephone(world)
    payloads = b"".join(stored.payload for stored in world.memory.log)
    for secret in (telephone.seed.hex(), totp.base32(telephone.seed), *telephone.recovery_codes):
        assert secret.encode() not in payloads


async def test_after_a_password_a_code_begins_the_session(world: World) -> None:
    user_id, telephone = await ada_with_telephone(world)
    answer = await world.show_password("ada", audience="tasks", device_name="laptop")
    assert isinstance(answer, FactorRequired)
    assert ([choice.factor for choice in answer.factors], answer.expires_in) == ([Factor.TOTP, RECOVERY], LIFE)
    began = len(world.happened(SessionStarted))
    signed_in = await complete(world, answer.challenge, telephone.next_code())
    claims = await world.claims(signed_in.access_token)
    assert (claims.sub, claims.aud, claims.acr, claims.amr) == (str(user_id), "tasks", Acr.TWO_FACTOR, ("pwd", "otp", "mfa"))
    assert len(world.happened(SessionStarted)) == began + 1
    refreshed = await issue_token(IssueToken(refresh_token=signed_in.refresh_token), ANYBODY, world.ports)
    again = await world.claims(refreshed.access_token)
    assert (again.acr, again.amr, again.auth_time) == (claims.acr, claims.amr, claims.auth_time)


async def test_a_code_is_read_with_the_spaces_people_put_in(world: World) -> None:
    _, telephone = await ada_with_telephone(world)
    code = telephone.next_code()
    await complete(world, await challenged(world), f" {code[:3]} {code[3:]}")


async def test_the_device_that_signed_in_is_known_the_next_time(world: World) -> None:
    _, telephone = await ada_with_telephone(world)
    signed_in = await complete(world, await challenged(world), telephone.next_code())
    assert signed_in.device_token is not None
    presented = world.ports.mint.read_device_token(signed_in.device_token)
    assert presented is not None
    again = await challenged(world, device_token=signed_in.device_token)
    opened = world.ports.challenges.open(again)
    assert isinstance(opened, SignInChallenge)
    assert (opened.device_id, opened.known_device) == (presented.device_id, True)


@pytest.mark.parametrize("challenge", ["", "mch_", "mch_AAAA", "nonsense", "mch_" + "A" * 2_000])
async def test_what_is_no_challenge_opens_nothing(world: World, challenge: str) -> None:
    with pytest.raises(InvalidChallenge):
        await complete(world, challenge, "123456")


async def test_a_challenge_is_good_for_five_minutes(world: World) -> None:
    _, telephone = await ada_with_telephone(world)
    challenge = await challenged(world)
    world.clock.forward(LIFE)
    with pytest.raises(InvalidChallenge):
        await complete(world, challenge, telephone.code())


async def test_a_challenge_is_worth_nothing_after_a_new_password_or_a_suspension(world: World) -> None:
    user_id, telephone = await ada_with_telephone(world)
    signed_in = await complete(world, await challenged(world), telephone.next_code())
    challenge = await challenged(world)
    change = ChangePassword(current_password=PASSWORD, new_password="another horse battery")
    await change_password(change, await world.ctx(signed_in), world.ports)
    with pytest.raises(InvalidChallenge):
        await complete(world, challenge, telephone.next_code())
    challenge = await challenged(world, password="another horse battery")
    await suspend_user(SuspendUser(user_id=user_id), SYSTEM, world.ports)
    with pytest.raises(InvalidChallenge):
        await complete(world, challenge, telephone.next_code())


async def test_a_factor_that_is_not_enrolled_completes_nothing(world: World) -> None:
    _, telephone = await ada_with_telephone(world)
    challenge = await challenged(world)
    for code in ("", "0" * 12, telephone.recovery_codes[0][:-1]):
        with pytest.raises(InvalidFactor):
            await complete(world, challenge, code, RECOVERY)


async def test_a_right_password_makes_up_for_no_wrong_one(world: World) -> None:
    await ada_with_telephone(world)
    for _ in range(DELAY_AFTER - 1):
        assert await refused(world)
    await challenged(world)
    assert await refused(world)
    assert await refused(world, PASSWORD)
    world.clock.forward(WAITS[0])
    assert not await refused(world, PASSWORD)


async def refused(world: World, password: str = WRONG) -> bool:
    try:
        await world.show_password("ada", password, network=ELSEWHERE)
    except InvalidCredentials:
        return True
    return False


async def test_a_completed_sign_in_makes_up_for_wrong_passwords_and_wrong_codes(world: World) -> None:
    _, telephone = await ada_with_telephone(world)
    for _ in range(2):
        for _ in range(DELAY_AFTER - 1):
            await refused(world)
        challenge = await challenged(world)
        for _ in range(PAUSE_AFTER - 1):
            with pytest.raises(InvalidFactor):
                await complete(world, challenge, telephone.wrong_code())
        await complete(world, challenge, telephone.next_code())


async def test_ten_wrong_codes_begin_a_pause_that_grows(world: World) -> None:
    _, telephone = await ada_with_telephone(world)
    challenge = await challenged(world)
    for _ in range(PAUSE_AFTER):
        with pytest.raises(InvalidFactor):
            await complete(world, challenge, telephone.wrong_code())
    with pytest.raises(FactorPaused) as paused:
        await complete(world, challenge, telephone.next_code())
    assert 0 < paused.value.retry_after <= PAUSES[0]
    (event,) = world.happened(GuessingPaused)
    assert isinstance(event, GuessingPaused)
    assert (event.failures, event.until is None) == (PAUSE_AFTER, False)
    world.clock.forward(PAUSES[0])
    await complete(world, challenge, telephone.code())


async def guess(world: World, telephone: Telephone, times: int, **more: str) -> None:
    """Guess wrong, waiting for each pause to end, on a new challenge each time."""
    for _ in range(times):
        with pytest.raises(InvalidFactor):
            await complete(world, await challenged(world, **more), telephone.wrong_code())
        world.clock.forward(PAUSES[-1])


async def test_a_hundred_wrong_codes_leave_recovery_codes_alone(world: World) -> None:
    user_id, telephone = await ada_with_telephone(world)
    await guess(world, telephone, MOST_FAILURES)
    world.clock.forward(40 * 86_400)
    with pytest.raises(FactorBlocked):
        await complete(world, await challenged(world), telephone.code())
    assert (await list_factors(user_id, world.ports)).blocked
    await complete(world, await challenged(world), telephone.recovery_codes[0], RECOVERY)
    assert not (await list_factors(user_id, world.ports)).blocked
    await complete(world, await challenged(world), telephone.next_code())


async def test_strangers_cannot_shut_out_a_known_device(world: World) -> None:
    _, telephone = await ada_with_telephone(world)
    device = (await complete(world, await challenged(world), telephone.next_code())).device_token
    assert device is not None
    await guess(world, telephone, MOST_FAILURES)
    await complete(world, await challenged(world, device_token=device), telephone.next_code())
    with pytest.raises(FactorBlocked):
        await complete(world, await challenged(world), telephone.next_code())


async def test_a_known_device_has_ten_tries_of_its_own_and_then_counts_as_everybody(world: World) -> None:
    _, telephone = await ada_with_telephone(world)
    device = (await complete(world, await challenged(world), telephone.next_code())).device_token
    assert device is not None
    challenge = await challenged(world, device_token=device)
    for _ in range(OWN_BUDGET + PAUSE_AFTER):
        with pytest.raises(InvalidFactor):
            await complete(world, challenge, telephone.wrong_code())
    with pytest.raises(FactorPaused):
        await complete(world, challenge, telephone.next_code())


async def test_a_recovery_code_signs_in_once_as_one_factor(world: World) -> None:
    user_id, telephone = await ada_with_telephone(world)
    code = telephone.recovery_codes[7]
    signed_in = await complete(world, await challenged(world), code.upper().replace("-", " "), RECOVERY)
    claims = await world.claims(signed_in.access_token)
    assert (claims.acr, claims.amr) == (Acr.ONE_FACTOR, ("pwd", "recovery"))
    assert len(world.happened(RecoveryCodeUsed)) == 1
    with pytest.raises(InvalidFactor):
        await complete(world, await challenged(world), code, RECOVERY)
    recovery = (await list_factors(user_id, world.ports)).recovery_codes
    assert recovery is not None
    assert recovery.remaining == 9


async def test_a_recovery_code_changes_no_factor(world: World) -> None:
    user_id, telephone = await ada_with_telephone(world)
    signed_in = await complete(world, await challenged(world), telephone.recovery_codes[0], RECOVERY)
    ctx = await world.ctx(signed_in)
    (view,) = (await list_factors(user_id, world.ports)).data
    for change in (offer_totp(ctx, world.ports), remove_factor(view.factor_id, ctx, world.ports), make_recovery_codes(ctx, world.ports)):
        with pytest.raises(ReauthenticationRequired):
            await change


async def test_recovery_codes_are_made_with_the_first_factor_and_not_with_the_next(world: World) -> None:
    user_id, telephone = await ada_with_telephone(world)
    assert len(set(telephone.recovery_codes)) == 10
    ctx = await world.ctx(await complete(world, await challenged(world), telephone.next_code()))
    successor = await enrolled(ctx, world)
    assert successor.recovery_codes == ()
    (view,) = (await list_factors(user_id, world.ports)).data
    assert view.kind == "totp"
    await complete(world, await challenged(world), telephone.recovery_codes[0], RECOVERY)
    with pytest.raises(InvalidFactor):
        await complete(world, await challenged(world), telephone.next_code())
    await complete(world, await challenged(world), successor.next_code())


async def test_new_recovery_codes_make_the_old_ones_worthless(world: World) -> None:
    _, telephone = await ada_with_telephone(world)
    ctx = await world.ctx(await complete(world, await challenged(world), telephone.next_code()))
    fresh = (await make_recovery_codes(ctx, world.ports)).result
    with pytest.raises(InvalidFactor):
        await complete(world, await challenged(world), telephone.recovery_codes[0], RECOVERY)
    await complete(world, await challenged(world), fresh[0], RECOVERY)


async def test_who_has_no_factor_gets_no_recovery_codes(world: World) -> None:
    with pytest.raises(FactorNotEnrolled):
        await make_recovery_codes(await world.enter("ada"), world.ports)


async def test_the_last_factor_taken_away_makes_the_password_enough_again(world: World) -> None:
    user_id, telephone = await ada_with_telephone(world)
    ctx = await world.ctx(await complete(world, await challenged(world), telephone.next_code()))
    with pytest.raises(NoSuchFactor):
        await remove_factor(FactorId(user_id), ctx, world.ports)
    (view,) = (await list_factors(user_id, world.ports)).data
    await remove_factor(view.factor_id, ctx, world.ports)
    views = await list_factors(user_id, world.ports)
    assert (views.data, views.recovery_codes) == ([], None)
    await world.sign_in("ada")


async def test_a_password_shown_again_changes_no_factor_of_who_has_one(world: World) -> None:
    _, telephone = await ada_with_telephone(world)
    ctx = await world.ctx(await complete(world, await challenged(world), telephone.next_code()))
    proof = (await reauthenticate(Reauthenticate(password=PASSWORD), ctx, world.ports)).result
    again = await world.principal(proof.access_token)
    with pytest.raises(ReauthenticationRequired):
        await offer_totp(replace(ctx, principal=again), world.ports)


async def test_a_code_of_another_seed_confirms_nothing(world: World) -> None:
    ctx = await world.enter("ada")
    with pytest.raises(InvalidFactor):
        await confirm_totp(ConfirmTotp(code="123456"), ctx, world.ports)
    first = await offered(ctx, world)
    await offered(ctx, world)
    with pytest.raises(InvalidFactor):
        await confirm_totp(ConfirmTotp(code=first.code()), ctx, world.ports)
    assert world.happened(TotpConfirmed) == []


async def test_a_crash_that_empties_the_counters_forgets_no_pause(world: World) -> None:
    user_id, telephone = await ada_with_telephone(world)
    challenge = await challenged(world)
    for _ in range(PAUSE_AFTER):
        with pytest.raises(InvalidFactor):
            await complete(world, challenge, telephone.wrong_code())
    world.clock.forward(1)
    world.use(guard=type(world.guard)(world.clock))
    for _ in range(2):
        with pytest.raises(InvalidFactor):
            await complete(world, challenge, telephone.wrong_code())
    with pytest.raises(FactorPaused):
        await complete(world, challenge, telephone.wrong_code())
    assert (await world.state(factors.decider, factors.stream(user_id))).paused_at is not None


async def test_of_many_sign_ins_at_once_with_one_code_one_begins(world: World) -> None:
    _, telephone = await ada_with_telephone(world)
    began = len(world.happened(SessionStarted))
    challenges = [await challenged(world) for _ in range(8)]
    code = telephone.next_code()
    answers = await asyncio.gather(*(complete(world, challenge, code) for challenge in challenges), return_exceptions=True)
    assert sum(isinstance(answer, InvalidFactor) for answer in answers) == 7
    assert (len(world.happened(SessionStarted)) - began, len(world.happened(TotpUsed))) == (1, 1)
