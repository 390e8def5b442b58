"""What methods are worth together."""

import pytest

from domain.assurance import Acr, acr_of, amr_of, at_least
from domain.session_events import AuthMethod as M


@pytest.mark.parametrize(
    ("shown", "reached"),
    [
        ((), Acr.ONE_FACTOR),
        ((M.PASSWORD,), Acr.ONE_FACTOR),
        ((M.OTP,), Acr.ONE_FACTOR),
        ((M.EMAIL, M.OTP), Acr.ONE_FACTOR),
        ((M.PASSWORD, M.OTP), Acr.TWO_FACTOR),
        ((M.PASSWORD, M.EMAIL), Acr.TWO_FACTOR),
        ((M.PASSKEY,), Acr.ONE_FACTOR),
        ((M.PASSWORD, M.PASSKEY), Acr.TWO_FACTOR),
        ((M.PASSKEY, M.USER_VERIFIED), Acr.PHISHING_RESISTANT),
        ((M.PASSWORD, M.OTP, M.PASSKEY, M.USER_VERIFIED), Acr.PHISHING_RESISTANT),
        ((M.USER_VERIFIED, M.PASSWORD), Acr.ONE_FACTOR),
    ],
)
def test_methods_together_reach(shown: tuple[M, ...], reached: Acr) -> None:
    assert acr_of(shown) is reached


@pytest.mark.parametrize("first", [M.PASSWORD, M.OTP, M.RECOVERY])
def test_a_recovery_code_adds_nothing(first: M) -> None:
    assert acr_of((first, M.RECOVERY)) is Acr.ONE_FACTOR


def test_what_was_shown_is_told_once_and_in_one_order_with_mfa_where_there_were_two() -> None:
    assert amr_of((M.OTP, M.PASSWORD, M.OTP)) == (M.PASSWORD, M.OTP, M.MULTI)
    assert amr_of((M.USER_VERIFIED, M.PASSKEY)) == (M.PASSKEY, M.USER_VERIFIED, M.MULTI)
    assert amr_of((M.RECOVERY, M.PASSWORD)) == (M.PASSWORD, M.RECOVERY)


def test_each_level_is_at_least_itself_and_those_below() -> None:
    for stronger, reached in enumerate(Acr):
        for weaker, wanted in enumerate(Acr):
            assert at_least(reached, wanted) == (stronger >= weaker)
