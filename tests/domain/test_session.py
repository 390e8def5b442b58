"""A sign-in and its family of refresh tokens."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from domain import session, session_end, session_state
from domain.errors import AudienceNotAllowed, InvalidRefreshToken, NoSuchSession, SessionEnded
from domain.event import Event
from domain.session import MINOS
from domain.session_events import (
    AuthMethod,
    EndReason,
    Reauthenticated,
    RefreshReused,
    SessionEvent,
    SessionRebased,
    SessionRevoked,
    SessionStarted,
    TokenIssued,
)
from domain.session_state import Ended, Live, Proof
from tests.domain.examples import ADA, BOB, FIRST_PARTY, LATER, NETWORK, NOTES, NOW, SEED, SESSION, TASKS
from tests.domain.given import Given, given

IDLE, ABSOLUTE, ACCESS, GRACE = 1_000, 10_000, 300, 10
END = NOW + timedelta(seconds=ABSOLUTE)
STARTED = SessionStarted(
    session_id=SESSION,
    user_id=ADA,
    token_epoch=1,
    audiences=(TASKS, NOTES),
    client_id=FIRST_PARTY,
    amr=(AuthMethod.PASSWORD,),
    seed=SEED,
    idle_ttl=IDLE,
    expires_at=END,
    network=NETWORK,
    user_agent=None,
    device_name=None,
    at=NOW,
)


def issued(generation: int, at: datetime, audience: Any = TASKS) -> TokenIssued:
    return TokenIssued(
        session_id=SESSION,
        user_id=ADA,
        generation=generation,
        key_version=1,
        audience=audience,
        access_expires_at=min(at + timedelta(seconds=ACCESS), END),
        idle_expires_at=min(at + timedelta(seconds=IDLE), END),
        at=at,
    )


FIRST = issued(1, NOW)
REVOKED = SessionRevoked(session_id=SESSION, user_id=ADA, reason=EndReason.LOGOUT, at=LATER)
REBASED = SessionRebased(session_id=SESSION, user_id=ADA, token_epoch=2, at=LATER)
LIVE: tuple[SessionEvent, ...] = (STARTED, FIRST)


def seconds(n: float) -> datetime:
    return NOW + timedelta(seconds=n)


def reused(generation: int, current: int, at: datetime) -> RefreshReused:
    return RefreshReused(session_id=SESSION, user_id=ADA, generation=generation, current_generation=current, at=at)


def refreshing(*past: SessionEvent) -> Given[session_state.Session, SessionEvent]:
    return given(session.decider, *past)


def ask(generation: int, at: datetime, *, epoch: int = 1, audience: Any = None) -> dict[str, Any]:
    return {
        "generation": generation,
        "user_epoch": epoch,
        "audience": audience,
        "key_version": 1,
        "access_ttl": ACCESS,
        "grace": GRACE,
        "at": at,
    }


START = {
    "session_id": SESSION,
    "user_id": ADA,
    "token_epoch": 1,
    "audiences": [TASKS, NOTES],
    "client_id": FIRST_PARTY,
    "amr": [AuthMethod.PASSWORD],
    "seed": SEED,
    "idle_ttl": IDLE,
    "absolute_ttl": ABSOLUTE,
    "network": NETWORK,
    "user_agent": None,
    "device_name": None,
    "at": NOW,
}


def test_a_session_starts_once() -> None:
    given(session.decider).when(session.start, **START).then(STARTED)
    given(session.decider, STARTED).when(session.start, **START).then()


def test_a_session_starts_for_some_audience() -> None:
    given(session.decider).when(session.start, **{**START, "audiences": []}).then_refused(AudienceNotAllowed)


def test_the_first_token_is_of_generation_one() -> None:
    asked = {"audience": TASKS, "key_version": 1, "access_ttl": ACCESS, "at": NOW}
    given(session.decider, STARTED).when(session.issue, **asked).then(FIRST)


def test_no_token_for_an_audience_the_session_was_not_started_for() -> None:
    asked = {"audience": MINOS, "key_version": 1, "access_ttl": ACCESS, "at": NOW}
    given(session.decider, STARTED).when(session.issue, **asked).then_refused(AudienceNotAllowed)


def test_no_token_outlives_its_session() -> None:
    events = session.issue(session.decider.fold([STARTED]), audience=TASKS, key_version=1, access_ttl=10**6, at=NOW)
    assert [(e.access_expires_at, e.idle_expires_at) for e in events if isinstance(e, TokenIssued)] == [(END, seconds(IDLE))]


def test_the_current_refresh_token_rotates() -> None:
    refreshing(*LIVE).when(session.refresh, **ask(1, seconds(5))).then(issued(2, seconds(5)))


def test_a_refresh_may_pick_another_audience_of_the_session() -> None:
    refreshing(*LIVE).when(session.refresh, **ask(1, seconds(5), audience=NOTES)).then(issued(2, seconds(5), NOTES))


def test_a_refresh_without_audience_keeps_the_one_before() -> None:
    refreshing(*LIVE, issued(2, seconds(5), NOTES)).when(session.refresh, **ask(2, seconds(9))).then(issued(3, seconds(9), NOTES))


@pytest.mark.parametrize("generation", [1, 2])
def test_neither_rotation_nor_repeat_gives_an_audience_the_session_was_not_started_for(generation: int) -> None:
    past = (*LIVE, issued(2, seconds(5)))
    refreshing(*past).when(session.refresh, **ask(generation, seconds(6), audience=MINOS)).then_refused(AudienceNotAllowed)


def test_the_token_before_is_answered_again_within_the_grace() -> None:
    refreshing(*LIVE, issued(2, seconds(5))).when(session.refresh, **ask(1, seconds(14.999999))).then()


def test_the_token_before_is_reuse_once_the_grace_is_over() -> None:
    refreshing(*LIVE, issued(2, seconds(5))).when(session.refresh, **ask(1, seconds(15))).then(reused(1, 2, seconds(15)))


def test_a_repeat_does_not_extend_the_grace() -> None:
    state = session.decider.fold((*LIVE, issued(2, seconds(5))))
    assert session.decider.fold(session.refresh(state, **ask(1, seconds(14))), state) == state


def test_an_older_token_ends_the_family_even_within_the_grace() -> None:
    past = (*LIVE, issued(2, seconds(5)), issued(3, seconds(6)))
    after = refreshing(*past).when(session.refresh, **ask(1, seconds(7))).then(reused(1, 3, seconds(7)))
    assert isinstance(after, Ended)
    assert after.reason is EndReason.REFRESH_REUSED


def test_asking_for_a_foreign_audience_does_not_hide_reuse() -> None:
    past = (*LIVE, issued(2, seconds(5)), issued(3, seconds(6)))
    refreshing(*past).when(session.refresh, **ask(1, seconds(7), audience=MINOS)).then(reused(1, 3, seconds(7)))


def test_nothing_more_is_written_once_the_family_is_dead() -> None:
    past = (*LIVE, issued(2, seconds(5)), reused(1, 2, seconds(50)))
    for generation in (0, 1, 2, 3):
        refreshing(*past).when(session.refresh, **ask(generation, seconds(51))).then_refused(InvalidRefreshToken)


@pytest.mark.parametrize("at", [seconds(IDLE), END, END + timedelta(days=1)])
def test_an_expired_session_is_not_refreshed(at: datetime) -> None:
    refreshing(*LIVE).when(session.refresh, **ask(1, at)).then_refused(InvalidRefreshToken)


def test_a_session_left_behind_by_its_users_epoch_is_not_refreshed() -> None:
    refreshing(*LIVE).when(session.refresh, **ask(1, LATER, epoch=2)).then_refused(InvalidRefreshToken)


def test_a_generation_that_was_never_issued_is_refused_and_nothing_is_written() -> None:
    refreshing(*LIVE).when(session.refresh, **ask(2, LATER)).then_refused(InvalidRefreshToken)


def test_a_password_change_kills_the_refresh_token_from_before_it_without_grace() -> None:
    """A thief who holds the last token must not turn it into the one that the password change gave its owner."""
    past = (*LIVE, REBASED, issued(2, LATER))
    refreshing(*past).when(session.refresh, **ask(1, LATER, epoch=2)).then_refused(InvalidRefreshToken)
    refreshing(*past, issued(3, seconds(60))).when(session.refresh, **ask(1, seconds(61), epoch=2)).then_refused(InvalidRefreshToken)
    refreshing(*past, issued(3, seconds(60))).when(session.refresh, **ask(2, seconds(61), epoch=2)).then()


def test_rebasing_keeps_a_session_under_the_new_epoch_once() -> None:
    after = refreshing(*LIVE).when(session.rebase, token_epoch=2, at=LATER).then(REBASED)
    assert session.is_live(after, user_epoch=2, at=LATER)
    refreshing(*LIVE, REBASED).when(session.rebase, token_epoch=2, at=LATER).then()


@pytest.mark.parametrize("decision", [session.rebase, session.reauthenticate, session.issue])
def test_an_ended_session_is_not_brought_back(decision: Any) -> None:
    facts: dict[Any, dict[str, Any]] = {
        session.rebase: {"token_epoch": 2},
        session.reauthenticate: {"methods": [AuthMethod.PASSWORD]},
        session.issue: {"audience": TASKS, "key_version": 1, "access_ttl": ACCESS},
    }
    refreshing(*LIVE, REVOKED).when(decision, **facts[decision], at=LATER).then_refused(SessionEnded)
    refreshing(*LIVE).when(decision, **facts[decision], at=seconds(IDLE)).then_refused(SessionEnded)
    refreshing().when(decision, **facts[decision], at=LATER).then_refused(NoSuchSession)


def test_reauthenticating_is_remembered_and_moves_no_other_time() -> None:
    again = Reauthenticated(session_id=SESSION, user_id=ADA, method=AuthMethod.PASSWORD, at=LATER)
    after = refreshing(*LIVE).when(session.reauthenticate, methods=[AuthMethod.PASSWORD], at=LATER).then(again)
    assert isinstance(after, Live)
    assert (after.reauthenticated_at, after.auth_time, after.idle_expires_at) == (LATER, NOW, seconds(IDLE))


def test_each_method_is_kept_with_the_time_it_was_last_shown() -> None:
    shown = [AuthMethod.PASSKEY, AuthMethod.USER_VERIFIED]
    again = Reauthenticated(session_id=SESSION, user_id=ADA, method=shown[0], also=(shown[1],), at=LATER)
    after = refreshing(*LIVE).when(session.reauthenticate, methods=shown, at=LATER).then(again)
    assert isinstance(after, Live)
    assert after.proofs == (Proof(AuthMethod.PASSWORD, NOW), Proof(shown[0], LATER), Proof(shown[1], LATER))
    later = refreshing(*LIVE, again).when(session.reauthenticate, methods=[AuthMethod.PASSWORD], at=seconds(9)).decide()
    last = session.decider.fold(later, after)
    assert isinstance(last, Live)
    assert set(last.proofs) == {Proof(AuthMethod.PASSWORD, seconds(9)), Proof(shown[0], LATER), Proof(shown[1], LATER)}


def test_revoking_ends_and_revoking_again_changes_nothing() -> None:
    after = refreshing(*LIVE).when(session_end.revoke, user_epoch=1, reason=EndReason.LOGOUT, at=LATER).then(REVOKED)
    assert after == Ended(session_id=SESSION, user_id=ADA, reason=EndReason.LOGOUT, ended_at=LATER)
    refreshing(*LIVE, REVOKED).when(session_end.revoke, user_epoch=1, reason=EndReason.ADMIN_TARGETED, at=LATER).then()


def test_a_session_that_is_over_keeps_the_reason_it_has() -> None:
    """Whoever reads the log later asks why it ended, and a second end would be the answer."""
    refreshing(*LIVE).when(session_end.revoke, user_epoch=2, reason=EndReason.ADMIN_TARGETED, at=LATER).then()
    refreshing(*LIVE).when(session_end.revoke, user_epoch=1, reason=EndReason.ADMIN_TARGETED, at=seconds(IDLE)).then()


def test_anothers_session_is_as_absent_as_none() -> None:
    for past in (LIVE, (*LIVE, REVOKED), ()):
        refreshing(*past).when(session_end.revoke_own, owner=BOB, user_epoch=1, reason=EndReason.LOGOUT, at=LATER).then_refused(
            NoSuchSession
        )
    refreshing(*LIVE).when(session_end.revoke_own, owner=ADA, user_epoch=1, reason=EndReason.LOGOUT, at=LATER).then(REVOKED)


def test_a_session_that_never_was_cannot_be_revoked() -> None:
    refreshing().when(session_end.revoke, user_epoch=1, reason=EndReason.LOGOUT, at=LATER).then_refused(NoSuchSession)


def test_live_means_not_ended_not_expired_not_left_behind() -> None:
    live = session.decider.fold(LIVE)
    assert session.is_live(live, user_epoch=1, at=LATER)
    assert not session.is_live(live, user_epoch=2, at=LATER)
    assert not session.is_live(live, user_epoch=1, at=seconds(IDLE))
    assert not session.is_live(session.decider.fold((*LIVE, REVOKED)), user_epoch=1, at=LATER)
    assert not session.is_live(session_state.Absent(), user_epoch=1, at=LATER)


def test_the_seed_hides_in_repr() -> None:
    shown: list[Event | session_state.Session] = [STARTED, session.decider.fold(LIVE)]
    for value in shown:
        assert repr(SEED) not in repr(value)
        assert "seed" not in repr(value)
