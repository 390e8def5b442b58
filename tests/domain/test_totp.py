"""Codes by time, held against the vectors of their RFCs."""

import base64
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from domain import totp

SEED = b"12345678901234567890"
"""Of RFC 4226, appendix D, and RFC 6238, appendix B."""


@pytest.mark.parametrize(
    ("step", "code"),
    list(enumerate(["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"])),
)
def test_vectors_of_rfc_4226_appendix_d(step: int, code: str) -> None:
    assert totp.code_at(SEED, step) == code


@pytest.mark.parametrize(
    ("seconds", "eight_digits"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_vectors_of_rfc_6238_appendix_b(seconds: int, eight_digits: str) -> None:
    at = datetime.fromtimestamp(seconds, UTC)
    assert totp.code_at(SEED, totp.step_at(at)) == eight_digits[-6:]


NOW = datetime(2026, 11, 25, 12, 0, 10, tzinfo=UTC)
STEP = totp.step_at(NOW)


@pytest.mark.parametrize(("away", "accepted"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_code_is_right_one_step_either_side(away: int, accepted: bool) -> None:
    found = totp.matching_step(SEED, totp.code_at(SEED, STEP + away), at=NOW)
    assert found == (STEP + away if accepted else None)


def test_no_code_of_a_step_that_counted_or_of_an_earlier_one_is_right() -> None:
    for away in (-1, 0):
        assert totp.matching_step(SEED, totp.code_at(SEED, STEP + away), at=NOW, after=STEP) is None
    assert totp.matching_step(SEED, totp.code_at(SEED, STEP + 1), at=NOW, after=STEP) == STEP + 1
    assert totp.matching_step(SEED, totp.code_at(SEED, STEP), at=NOW + timedelta(seconds=30), after=STEP) is None


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "１２３４５６", "\0\0\0\0\0\0"])
def test_what_is_no_code_is_wrong(code: str) -> None:
    assert totp.matching_step(SEED, code, at=NOW) is None


def test_the_address_says_what_an_application_needs() -> None:
    parts = urlsplit(totp.uri(SEED, account="ada+x@example.org", service="Our house"))
    asked = parse_qs(parts.query)
    assert (parts.scheme, parts.netloc, parts.path) == ("otpauth", "totp", "/Our%20house:ada%2Bx@example.org")
    assert base64.b32decode(asked["secret"][0]) == SEED
    assert (asked["issuer"], asked["algorithm"], asked["digits"], asked["period"]) == (["Our house"], ["SHA1"], ["6"], ["30"])
