"""A moment at which somebody signed in, or did not: the rule, what it looked at, and what happened around it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from msgspec import Struct

from adapters.log_walk import stretch
from adapters.postgres_links import Links
from adapters.tree_store import TreeStore
from commands.audit_asked import record_asked
from commands.context import Context
from commands.explain_sign_in import Input, explain_sign_in
from commands.ports import AttemptOutcome, KeptAttempt, Ports
from domain.audit import Matter, Question
from domain.ids import AudienceName, EventId, SessionId, UserId
from domain.sign_in_rule import Verdict
from projections import audit_events
from projections.audit_events import AuditFilter, AuditRow
from projections.reading import ReadModels

MOST = 200
"""Events, and refused sign-ins, around a moment: the newest of them."""
_SIGNED_IN, _REFRESHED = "session.started.v1", "session.token_issued.v1"
_MICROSECOND = timedelta(microseconds=1)


class SignInSeen(Struct, frozen=True, kw_only=True):
    """A sign-in that was allowed is an event. One that was refused is a row outside the log, kept for a while: nobody can prove it."""

    at: datetime
    outcome: str
    """`allowed`, or what refused it: `wrong_password`, `locked`, `account_not_active`."""
    provable: bool
    known_device: bool | None = None
    position: int | None = None
    event_id: EventId | None = None


class EventNear(Struct, frozen=True, kw_only=True):
    at: datetime
    type: str
    actor: str
    position: int
    event_id: EventId
    session_id: SessionId | None
    """The session it was done from."""


class Explanation(Struct, frozen=True, kw_only=True):
    """As of `position` of the log of this `epoch`. `checkpoint` is the size of the first signed tree kept that covers it, null before
    there is one. `complete` is false where more happened around it than is listed."""

    user_id: UUID
    at: datetime
    position: int
    epoch: int
    checkpoint: int | None
    audience: AudienceName
    verdict: Verdict
    rule_version: int
    inputs: Sequence[Input]
    sign_ins: Sequence[SignInSeen]
    events: Sequence[EventNear]
    complete: bool


class Asked(Struct, frozen=True, kw_only=True):
    """`at` None is now, and so is a moment that has not come; `within` is in seconds, before and after."""

    user_id: UserId
    audience: AudienceName
    at: datetime | None
    within: int


async def explain(asked: Asked, ctx: Context, ports: Ports, models: ReadModels, links: Links) -> Explanation:
    """Write the question down, and answer. Raises NoSuchUser, NoSuchAudience, StoreUnavailable, and what `record_asked` does."""
    now = datetime.now(UTC)
    at = now if asked.at is None else min(asked.at, now)
    of = await stretch(links, after=0, until=None if asked.at is None else at + _MICROSECOND)
    explained = await explain_sign_in(asked.user_id, ports, audience=asked.audience, at=at, through=of.last)
    await record_asked(Question.EXPLAIN, ctx, ports, Matter(last=of.last, user_id=asked.user_id))
    around = timedelta(seconds=asked.within)
    since, until = at - around, at + around
    wanted = AuditFilter(user_id=asked.user_id, since=since, until=until)
    near = await audit_events.page(models, matching_all=wanted, limit=MOST)
    refused = await ports.guard.attempts_of(asked.user_id, since=since, until=until, limit=MOST)
    covering = await TreeStore(links).covering(of.epoch, of.last)
    return Explanation(
        user_id=asked.user_id,
        at=at,
        position=of.last,
        epoch=of.epoch,
        checkpoint=None if covering is None else covering.size,
        audience=asked.audience,
        verdict=explained.verdict,
        rule_version=explained.rule_version,
        inputs=explained.inputs,
        sign_ins=_sign_ins(near.rows, refused),
        events=[_near(row) for row in near.rows if row.type not in {_SIGNED_IN, _REFRESHED}],
        complete=near.next_after is None and len(refused) < MOST,
    )


def _sign_ins(rows: Sequence[AuditRow], refused: Sequence[KeptAttempt]) -> Sequence[SignInSeen]:
    allowed = [
        SignInSeen(at=row.recorded_at, outcome=Verdict.ALLOWED, provable=True, position=row.position, event_id=row.event_id)
        for row in rows
        if row.type == _SIGNED_IN
    ]
    kept = [SignInSeen(at=each.at, outcome=_outcome(each), provable=False, known_device=each.known_device) for each in refused]
    return sorted([*allowed, *kept], key=lambda seen: seen.at)


def _outcome(kept: KeptAttempt) -> str:
    return "account_not_active" if kept.outcome is AttemptOutcome.SUSPENDED else kept.outcome.value


def _near(row: AuditRow) -> EventNear:
    return EventNear(
        at=row.recorded_at, type=row.type, actor=row.actor, position=row.position, event_id=row.event_id, session_id=row.session_id
    )
