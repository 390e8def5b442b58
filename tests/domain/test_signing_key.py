"""Published ahead, active, retiring, gone."""

from datetime import timedelta

import pytest

from domain import signing_key
from domain.errors import NoSuchSigningKey, SigningKeyNotUsable
from domain.signing_key import (
    Active,
    Algorithm,
    Base64Url,
    Curve,
    KeyRevocation,
    KeyType,
    PublicJwk,
    Published,
    Retiring,
    Revoked,
    SigningKeyCreated,
    SigningKeyEvent,
    SigningKeyPromoted,
    SigningKeyRetired,
    SigningKeyRevoked,
)
from tests.domain.examples import KID, LATER, NOW
from tests.domain.given import given

PUBLIC = PublicJwk(kty=KeyType.EC, crv=Curve.P256, x=Base64Url("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"), y=Base64Url("x_FEzRu9m36"))
UNTIL = LATER + timedelta(seconds=3_660)
CREATED = SigningKeyCreated(kid=KID, algorithm=Algorithm.ES256, public=PUBLIC, at=NOW)
PROMOTED = SigningKeyPromoted(kid=KID, at=LATER)
RETIRED = SigningKeyRetired(kid=KID, verify_until=UNTIL, at=LATER)
REVOKED = SigningKeyRevoked(kid=KID, reason=KeyRevocation.COMPROMISED, at=LATER)
Past = tuple[SigningKeyEvent, ...]
PUBLISHED_PAST: Past = (CREATED,)
ACTIVE_PAST: Past = (CREATED, PROMOTED)
RETIRING_PAST: Past = (CREATED, PROMOTED, RETIRED)
REVOKED_PAST: Past = (CREATED, REVOKED)


def test_a_new_key_is_published_before_it_signs() -> None:
    asked = {"kid": KID, "algorithm": Algorithm.ES256, "public": PUBLIC, "at": NOW}
    after = given(signing_key.decider).when(signing_key.create, **asked).then(CREATED)
    assert isinstance(after, Published)
    given(signing_key.decider, CREATED).when(signing_key.create, **asked).then()


def test_a_published_key_becomes_active_once() -> None:
    after = given(signing_key.decider, CREATED).when(signing_key.promote, at=LATER).then(PROMOTED)
    assert isinstance(after, Active)
    given(signing_key.decider, *ACTIVE_PAST).when(signing_key.promote, at=LATER).then()


@pytest.mark.parametrize("past", [RETIRING_PAST, REVOKED_PAST])
def test_a_key_that_stopped_signing_never_signs_again(past: Past) -> None:
    given(signing_key.decider, *past).when(signing_key.promote, at=LATER).then_refused(SigningKeyNotUsable)


@pytest.mark.parametrize("past", [PUBLISHED_PAST, ACTIVE_PAST])
def test_a_key_retires(past: Past) -> None:
    after = given(signing_key.decider, *past).when(signing_key.retire, verify_until=UNTIL, at=LATER).then(RETIRED)
    assert isinstance(after, Retiring)


def test_retiring_twice_does_not_move_the_end() -> None:
    later = UNTIL + timedelta(days=1)
    given(signing_key.decider, *RETIRING_PAST).when(signing_key.retire, verify_until=later, at=LATER).then()


def test_a_revoked_key_does_not_retire() -> None:
    given(signing_key.decider, *REVOKED_PAST).when(signing_key.retire, verify_until=UNTIL, at=LATER).then_refused(SigningKeyNotUsable)


@pytest.mark.parametrize("past", [PUBLISHED_PAST, ACTIVE_PAST, RETIRING_PAST])
def test_a_key_is_revoked_at_every_stage(past: Past) -> None:
    after = given(signing_key.decider, *past).when(signing_key.revoke, reason=KeyRevocation.COMPROMISED, at=LATER).then(REVOKED)
    assert isinstance(after, Revoked)


def test_revoking_twice_changes_nothing() -> None:
    given(signing_key.decider, *REVOKED_PAST).when(signing_key.revoke, reason=KeyRevocation.SUPERSEDED, at=LATER).then()


def test_a_key_that_is_not_there_cannot_be_turned() -> None:
    given(signing_key.decider).when(signing_key.promote, at=NOW).then_refused(NoSuchSigningKey)
    given(signing_key.decider).when(signing_key.retire, verify_until=UNTIL, at=NOW).then_refused(NoSuchSigningKey)
    given(signing_key.decider).when(signing_key.revoke, reason=KeyRevocation.COMPROMISED, at=NOW).then_refused(NoSuchSigningKey)


@pytest.mark.parametrize(
    ("past", "before_the_end", "at_the_end"),
    [
        ((), False, False),
        (PUBLISHED_PAST, True, True),
        (ACTIVE_PAST, True, True),
        (RETIRING_PAST, True, False),
        (REVOKED_PAST, False, False),
    ],
)
def test_what_a_key_still_verifies(past: Past, before_the_end: bool, at_the_end: bool) -> None:
    state = signing_key.decider.fold(past)
    assert signing_key.verifies(state, at=UNTIL - timedelta(microseconds=1)) is before_the_end
    assert signing_key.verifies(state, at=UNTIL) is at_the_end
