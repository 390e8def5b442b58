"""One owner for each name."""

from domain import claim
from domain.claim import ClaimKind, ClaimReleased, ClaimTaken, Held, Released
from tests.domain.examples import ADA, BOB, EMAIL_CLAIM, LATER, NOW
from tests.domain.given import given

TAKEN = ClaimTaken(claim_id=EMAIL_CLAIM, kind=ClaimKind.EMAIL, user_id=ADA, at=NOW)
RELEASED = ClaimReleased(claim_id=EMAIL_CLAIM, at=LATER)


def test_a_free_claim_is_taken() -> None:
    after = given(claim.decider).when(claim.take, claim_id=EMAIL_CLAIM, kind=ClaimKind.EMAIL, user_id=ADA, at=NOW).then(TAKEN)
    assert after == Held(claim_id=EMAIL_CLAIM, kind=ClaimKind.EMAIL, user_id=ADA)


def test_a_held_claim_is_not_taken_over() -> None:
    given(claim.decider, TAKEN).when(claim.take, claim_id=EMAIL_CLAIM, kind=ClaimKind.EMAIL, user_id=BOB, at=LATER).then()


def test_a_held_claim_is_released() -> None:
    after = given(claim.decider, TAKEN).when(claim.release, at=LATER).then(RELEASED)
    assert after == Released(claim_id=EMAIL_CLAIM)


def test_a_released_claim_is_final() -> None:
    given(claim.decider, TAKEN, RELEASED).when(claim.release, at=LATER).then()
    given(claim.decider, TAKEN, RELEASED).when(claim.take, claim_id=EMAIL_CLAIM, kind=ClaimKind.EMAIL, user_id=BOB, at=LATER).then()


def test_releasing_what_nobody_holds_changes_nothing() -> None:
    given(claim.decider).when(claim.release, at=NOW).then()
