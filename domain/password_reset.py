"""Somebody asked for a new password of an account: one asking is live at a time, for an hour, and works once.

The token that the mailbox gets is derived from the ids here under a key that is not in the log.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import assert_never

from msgspec import Struct

from domain.account import Account
from domain.decider import Decider
from domain.errors import MailTokenInvalid
from domain.event import Event
from domain.ids import ClaimId, ResetId, StreamName, UserId

RESET_TTL = 3_600
"""Seconds."""


class PasswordResetAsked(Event, frozen=True, kw_only=True, omit_defaults=True, tag="password_reset.asked.v1"):
    """From now on an earlier asking is worth nothing."""

    user_id: UserId
    reset_id: ResetId
    email_claim: ClaimId
    expires_at: datetime
    password_version: int | None = None
    """Of the password that it is to replace; it replaces no other. None where an earlier release wrote it: that is worth nothing now."""


class PasswordResetUsed(Event, frozen=True, kw_only=True, tag="password_reset.used.v1"):
    user_id: UserId
    reset_id: ResetId


PasswordResetEvent = PasswordResetAsked | PasswordResetUsed


class Nothing(Struct, frozen=True, tag="nothing"):
    """Nobody asked, or what was asked for was given."""

    newest: ResetId | None = None


class Asked(Struct, frozen=True, kw_only=True, tag="asked"):
    reset_id: ResetId
    email_claim: ClaimId
    password_version: int | None
    expires_at: datetime


PasswordReset = Nothing | Asked


def evolve(state: PasswordReset, event: PasswordResetEvent) -> PasswordReset:
    match event:
        case PasswordResetAsked():
            return Asked(
                reset_id=event.reset_id,
                email_claim=event.email_claim,
                password_version=event.password_version,
                expires_at=event.expires_at,
            )
        case PasswordResetUsed():
            return Nothing(event.reset_id)
        case _:
            assert_never(event)


decider: Decider[PasswordReset, PasswordResetEvent] = Decider("password_reset", PasswordReset, 2, Nothing(), evolve)  # type: ignore[arg-type]  # a union is a type form


def stream(user_id: UserId) -> StreamName:
    return StreamName(f"password_reset-{user_id}")


def ask(state: PasswordReset, account: Account, *, reset_id: ResetId, at: datetime) -> Sequence[PasswordResetEvent]:
    """Take the place of an earlier asking. Ids rise with the time of asking: one whose mail was late takes nobody's place, and
    asking again under the same id changes nothing, so that a mailer that died may come back to it."""
    newest = state.reset_id if isinstance(state, Asked) else state.newest
    if newest is not None and reset_id <= newest:
        return []
    return [
        PasswordResetAsked(
            user_id=account.user_id,
            reset_id=reset_id,
            email_claim=account.email_claim,
            password_version=account.password_version,
            expires_at=at + timedelta(seconds=RESET_TTL),
            at=at,
        )
    ]


def require_live(state: PasswordReset, account: Account, *, reset_id: ResetId, at: datetime) -> Asked:
    """Raise MailTokenInvalid unless this is the newest asking, unused, in time, and for the address and the password of now."""
    if not isinstance(state, Asked) or state.reset_id != reset_id or at >= state.expires_at:
        raise MailTokenInvalid
    if (state.email_claim, state.password_version) != (account.email_claim, account.password_version):
        raise MailTokenInvalid
    return state


def use(state: PasswordReset, account: Account, *, reset_id: ResetId, at: datetime) -> Sequence[PasswordResetEvent]:
    live = require_live(state, account, reset_id=reset_id, at=at)
    return [PasswordResetUsed(user_id=account.user_id, reset_id=live.reset_id, at=at)]
