"""A person's second factors."""

from datetime import datetime, timedelta
from typing import Any

from domain import factors
from domain.errors import FactorNotEnrolled, InvalidChallenge, InvalidFactor, NoSuchFactor, TooManyFactors
from domain.factor_events import (
    FactorEvent,
    FactorKind,
    FactorNamed,
    FactorRemoved,
    GuessingPaused,
    PasskeyRegistered,
    PasskeyRegressed,
    PasskeyUsed,
    RecoveryCodesMade,
    RecoveryCodeUsed,
    TotpConfirmed,
    TotpOffered,
    TotpUsed,
    WhyRemoved,
)
from domain.factor_state import Factors
from domain.factors import MOST_PASSKEYS
from domain.ids import FactorId
from domain.session_events import AuthMethod
from tests.domain.examples import ADA, CREDENTIAL, FACTOR, LATER, NAME, NOW, OTHER_FACTOR, OTHER_NAME, TOTP_SEED, VERIFIERS
from tests.domain.given import Given, given

OFFERED = TotpOffered(user_id=ADA, factor_id=FACTOR, seed=TOTP_SEED, at=NOW)
CONFIRMED = TotpConfirmed(user_id=ADA, factor_id=FACTOR, step=100, at=NOW)
TOTP = (OFFERED, CONFIRMED)
PASSKEY = PasskeyRegistered(user_id=ADA, factor_id=OTHER_FACTOR, credential=CREDENTIAL, sign_count=5, at=NOW)
CODES = RecoveryCodesMade(user_id=ADA, verifiers=VERIFIERS, count=10, at=NOW)
BLOCKED = GuessingPaused(user_id=ADA, failures=100, until=None, at=NOW)


def with_factors(*past: FactorEvent) -> Given[Factors, FactorEvent]:
    return given(factors.decider, *past)


def removed(factor_id: FactorId, kind: FactorKind, why: WhyRemoved = WhyRemoved.SELF) -> FactorRemoved:
    return FactorRemoved(user_id=ADA, factor_id=factor_id, kind=kind, why=why, at=LATER)


def test_a_seed_that_was_only_shown_is_no_factor() -> None:
    assert not factors.decider.fold([OFFERED]).enrolled


def test_a_code_of_the_seed_on_offer_makes_it_one() -> None:
    after = with_factors(OFFERED).when(factors.confirm_totp, user_id=ADA, factor_id=FACTOR, step=100, at=NOW).then(CONFIRMED)
    assert after.enrolled
    assert after.offer is None


def test_a_code_of_a_seed_that_is_no_longer_on_offer_confirms_nothing() -> None:
    later = TotpOffered(user_id=ADA, factor_id=OTHER_FACTOR, seed=TOTP_SEED, at=LATER)
    for past in ((), (OFFERED, later), TOTP):
        with_factors(*past).when(factors.confirm_totp, user_id=ADA, factor_id=FACTOR, step=1, at=LATER).then_refused(InvalidFactor)


def test_a_new_application_takes_the_place_of_the_old_one_when_it_is_confirmed() -> None:
    again = TotpOffered(user_id=ADA, factor_id=OTHER_FACTOR, seed=VERIFIERS, at=NOW)
    assert factors.decider.fold([*TOTP, again]).totp == factors.decider.fold(TOTP).totp
    confirmed = TotpConfirmed(user_id=ADA, factor_id=OTHER_FACTOR, step=1, at=LATER)
    facts = {"user_id": ADA, "factor_id": OTHER_FACTOR, "step": 1, "at": LATER}
    gone = removed(FACTOR, FactorKind.TOTP, WhyRemoved.REPLACED)
    after = with_factors(*TOTP, CODES, again).when(factors.confirm_totp, **facts).then(confirmed, gone)
    assert after.totp is not None
    assert after.recovery is not None
    assert (after.totp.factor_id, after.totp.seed) == (OTHER_FACTOR, VERIFIERS)


def test_a_step_counts_once_and_none_before_it_counts_after() -> None:
    use = factors.use_totp
    with_factors(*TOTP).when(use, user_id=ADA, factor_id=FACTOR, step=101, at=LATER).then(
        used := TotpUsed(user_id=ADA, factor_id=FACTOR, step=101, at=LATER)
    )
    for step in (99, 100, 101):
        with_factors(*TOTP, used).when(use, user_id=ADA, factor_id=FACTOR, step=step, at=LATER).then_refused(InvalidFactor)


def test_a_code_of_a_factor_that_is_gone_does_not_count() -> None:
    facts = {"user_id": ADA, "factor_id": FACTOR, "step": 200, "at": LATER}
    with_factors(*TOTP, removed(FACTOR, FactorKind.TOTP)).when(factors.use_totp, **facts).then_refused(InvalidFactor)


def test_a_passkey_may_have_a_name_and_get_another() -> None:
    named = FactorNamed(user_id=ADA, factor_id=OTHER_FACTOR, name=NAME, at=NOW)
    facts = {"user_id": ADA, "factor_id": OTHER_FACTOR, "credential": CREDENTIAL, "sign_count": 5, "name": NAME, "at": NOW}
    with_factors().when(factors.register_passkey, **facts).then(PASSKEY, named)
    after = with_factors(PASSKEY, named).when(factors.rename, user_id=ADA, factor_id=OTHER_FACTOR, name=OTHER_NAME, at=NOW)
    assert after.then(FactorNamed(user_id=ADA, factor_id=OTHER_FACTOR, name=OTHER_NAME, at=NOW)).passkeys[0].name == OTHER_NAME
    with_factors(*TOTP).when(factors.rename, user_id=ADA, factor_id=FACTOR, name=NAME, at=NOW).then_refused(NoSuchFactor)


def test_there_are_only_so_many_passkeys() -> None:
    facts: dict[str, Any] = {"user_id": ADA, "factor_id": FACTOR, "credential": CREDENTIAL, "sign_count": 0, "name": None, "at": NOW}
    with_factors(*[PASSKEY] * MOST_PASSKEYS).when(factors.register_passkey, **facts).then_refused(TooManyFactors)
    with_factors(PASSKEY).when(factors.register_passkey, **facts | {"factor_id": OTHER_FACTOR}).then_refused(InvalidChallenge)


def test_a_signature_that_was_asked_for_before_the_last_one_does_not_count() -> None:
    without = PasskeyRegistered(user_id=ADA, factor_id=OTHER_FACTOR, credential=CREDENTIAL, sign_count=0, at=NOW)
    used = PasskeyUsed(user_id=ADA, factor_id=OTHER_FACTOR, sign_count=0, at=LATER)
    use_passkey((without, used), 0, LATER).then_refused(InvalidFactor)
    use_passkey((without,), 0, NOW).then_refused(InvalidFactor)


def use_passkey(past: tuple[FactorEvent, ...], count: int, asked_at: datetime = LATER) -> Any:
    return with_factors(*past).when(factors.use_passkey, user_id=ADA, factor_id=OTHER_FACTOR, sign_count=count, asked_at=asked_at, at=LATER)


def test_a_signature_whose_counter_rises_counts() -> None:
    after = use_passkey((PASSKEY,), 6).then(PasskeyUsed(user_id=ADA, factor_id=OTHER_FACTOR, sign_count=6, at=LATER))
    assert (after.passkeys[0].sign_count, after.passkeys[0].used_at) == (6, LATER)


def test_a_counter_that_was_passed_is_noted_and_counts_for_nothing() -> None:
    for count in (0, 4, 5):
        noted = PasskeyRegressed(user_id=ADA, factor_id=OTHER_FACTOR, sign_count=count, known_count=5, at=LATER)
        after = use_passkey((PASSKEY,), count).then(noted)
        assert (after.passkeys[0].sign_count, after.passkeys[0].used_at, after.passkeys[0].regressed_at) == (5, NOW, LATER)


def test_a_key_without_a_counter_says_nought_each_time() -> None:
    without = PasskeyRegistered(user_id=ADA, factor_id=OTHER_FACTOR, credential=CREDENTIAL, sign_count=0, at=NOW)
    use_passkey((without,), 0).then(PasskeyUsed(user_id=ADA, factor_id=OTHER_FACTOR, sign_count=0, at=LATER))


def test_a_key_that_is_gone_signs_nothing() -> None:
    use_passkey((PASSKEY, removed(OTHER_FACTOR, FactorKind.PASSKEY)), 9).then_refused(InvalidFactor)


def test_the_strongest_factor_is_a_passkey_then_a_code_then_the_password() -> None:
    strengths = [factors.strongest(factors.decider.fold(past)) for past in ((PASSKEY, *TOTP), TOTP, (OFFERED,))]
    assert strengths == [AuthMethod.PASSKEY, AuthMethod.OTP, AuthMethod.PASSWORD]


def test_recovery_codes_are_for_who_has_a_factor_to_lose() -> None:
    facts: dict[str, Any] = {"user_id": ADA, "verifiers": VERIFIERS, "count": 10, "at": NOW}
    with_factors(OFFERED).when(factors.make_recovery_codes, **facts).then_refused(FactorNotEnrolled)
    with_factors(*TOTP).when(factors.make_recovery_codes, **facts).then(CODES)


def use_code(past: tuple[FactorEvent, ...], number: int, at: datetime = LATER) -> Any:
    return with_factors(*past).when(factors.use_recovery_code, user_id=ADA, verifiers=VERIFIERS, number=number, at=at)


def test_a_recovery_code_works_once_and_the_others_stay() -> None:
    used = RecoveryCodeUsed(user_id=ADA, number=3, at=LATER)
    after = use_code((*TOTP, CODES), 3).then(used)
    assert after.recovery.remaining == 9
    use_code((*TOTP, CODES, used), 3).then_refused(InvalidFactor)
    use_code((*TOTP, CODES, used), 4).then(RecoveryCodeUsed(user_id=ADA, number=4, at=LATER))


def test_a_code_of_a_list_that_was_replaced_does_not_count() -> None:
    newer = RecoveryCodesMade(user_id=ADA, verifiers=CREDENTIAL, count=10, at=LATER)
    use_code((*TOTP, CODES, newer), 1).then_refused(InvalidFactor)


def test_recovery_codes_go_with_the_last_factor() -> None:
    past = (*TOTP, PASSKEY, CODES, removed(FACTOR, FactorKind.TOTP))
    assert factors.decider.fold(past).recovery is not None
    assert factors.decider.fold([*past, removed(OTHER_FACTOR, FactorKind.PASSKEY)]).recovery is None


def test_what_is_not_there_is_not_removed() -> None:
    facts: dict[str, Any] = {"user_id": ADA, "factor_id": OTHER_FACTOR, "why": WhyRemoved.SELF, "at": NOW}
    with_factors(*TOTP).when(factors.remove, **facts).then_refused(NoSuchFactor)


def test_a_block_stays_until_a_recovery_code_or_a_passkey_was_shown() -> None:
    assert factors.decider.fold([*TOTP, CODES, BLOCKED, TotpUsed(user_id=ADA, factor_id=FACTOR, step=300, at=NOW)]).blocked
    assert not factors.decider.fold([*TOTP, CODES, BLOCKED, RecoveryCodeUsed(user_id=ADA, number=0, at=NOW)]).blocked
    assert not factors.decider.fold([PASSKEY, BLOCKED, PasskeyUsed(user_id=ADA, factor_id=OTHER_FACTOR, sign_count=6, at=NOW)]).blocked


def test_a_pause_is_remembered_and_blocks_nobody() -> None:
    until = NOW + timedelta(seconds=60)
    paused = GuessingPaused(user_id=ADA, failures=10, until=until, at=NOW)
    after = with_factors(*TOTP).when(factors.pause_guessing, user_id=ADA, failures=10, until=until, at=NOW).then(paused)
    assert (after.blocked, after.paused_at) == (False, NOW)
    with_factors(*TOTP, BLOCKED).when(factors.pause_guessing, user_id=ADA, failures=10, until=until, at=NOW).then()
