import pytest

from minos_sdk import errors


def test_a_request_without_credential_is_challenged_without_an_error() -> None:
    assert errors.Unauthenticated().challenge() == "Bearer"


@pytest.mark.parametrize("error", [errors.InvalidToken, errors.ExpiredToken, errors.Revoked])
def test_a_refused_token_is_challenged_as_rfc_6750_says(error: type[errors.InvalidToken]) -> None:
    refused = error()
    assert refused.status == 401
    assert (refused.challenge() or "").startswith('Bearer error="invalid_token"')


@pytest.mark.parametrize("error", [errors.Blind, errors.KeysUnavailable])
def test_what_cannot_be_judged_is_a_503_with_a_time_to_come_back(error: type[errors.Unavailable]) -> None:
    assert (error().status, error().challenge(), error().retry_after) == (503, None, 2)


def test_each_error_has_a_code_of_its_own() -> None:
    all_of_them = [each for each in vars(errors).values() if isinstance(each, type)]
    assert len({each.code for each in all_of_them}) == len(all_of_them)
