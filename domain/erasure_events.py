"""What can happen to the erasure of an account. `domain/erasure.py` says what it means and when it may."""

from datetime import datetime

from domain.event import Event
from domain.ids import AudienceSlug, UserId
from domain.user_events import AskedBy


class ErasureAsked(Event, frozen=True, kw_only=True, omit_defaults=True, tag="erasure.asked.v1"):
    user_id: UserId
    due_at: datetime
    asked_by: AskedBy = AskedBy.OWN_REQUEST


class ErasurePostponed(Event, frozen=True, kw_only=True, tag="erasure.postponed.v1"):
    """Its owner could not withdraw it, being suspended or deleted, or can still take back what somebody else may have done to the
    account: it happens no sooner than that."""

    user_id: UserId
    due_at: datetime


class ErasureWithdrawn(Event, frozen=True, kw_only=True, tag="erasure.withdrawn.v1"):
    user_id: UserId


class ErasureBegun(Event, frozen=True, kw_only=True, omit_defaults=True, tag="erasure.begun.v1"):
    """Its time had come. There is no way back. `again`: whose wish it was, where it had been done before and the database was set back to
    before that."""

    user_id: UserId
    again: AskedBy | None = None


class ErasureCompleted(Event, frozen=True, kw_only=True, tag="erasure.completed.v1"):
    """Nothing of the person is readable here any more. `told` are the audiences whose services are to acknowledge it; names that are
    nobody's are free from `names_until` on."""

    user_id: UserId
    told: tuple[AudienceSlug, ...]
    names_until: datetime | None


class ErasureNamesReleased(Event, frozen=True, kw_only=True, tag="erasure.names_released.v1"):
    """The names that were kept from everybody are free."""

    user_id: UserId


class ErasureReminded(Event, frozen=True, kw_only=True, tag="erasure.reminded.v1"):
    """Somebody has not acknowledged it: the services are told again."""

    user_id: UserId
    number: int


class ErasureAcknowledged(Event, frozen=True, kw_only=True, tag="erasure.acknowledged.v1"):
    """The service of an audience says that it has forgotten them, too."""

    user_id: UserId
    audience: AudienceSlug


ErasureEvent = (
    ErasureAsked | ErasurePostponed | ErasureWithdrawn | ErasureBegun | ErasureCompleted | ErasureNamesReleased
    | ErasureReminded | ErasureAcknowledged
)  # fmt: skip
