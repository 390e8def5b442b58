"""From a page of the log to the rows it leaves in the set of live signals."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import uuid4

from msgspec import Struct
from msgspec.structs import replace

from adapters.log_reader import LogPage
from adapters.signal_sets import SignalSigner
from adapters.signal_stream import DURABLE
from commands.ports import EventStore, StoredEvent, StoredHead
from commands.transact import folded
from domain import audience, client, role, user
from domain.audience import AudienceChanged, AudienceDefined, AudienceRetired
from domain.codec import EVENT_TYPES, decode_event, tag_of
from domain.decider import Decider
from domain.errors import AudienceNotAllowed, UnknownEventTag
from domain.event import Event
from domain.ids import AudienceName, CorrelationId, EventId, RoleName, StreamName, TokenId
from domain.legacy import LEGACY
from domain.machine_token import ServiceTokenIssued
from domain.session_events import TokenIssued
from domain.signals.changes import TAGS, AudienceRedefined, AudienceRuled, Change, changes
from domain.signals.facts import Signal, SignalClass, class_of, roles_class, subject_of, until_of
from domain.signals.lives import life_in
from domain.signals.telling import GivenToken, Known, needs, tell
from workers.signals.given_tokens import kept
from workers.signals.outbox import Outbox, Row, State

K = TypeVar("K")
S = TypeVar("S")

_SHOWING: tuple[type[Event], ...] = (TokenIssued, AudienceDefined, AudienceChanged, ServiceTokenIssued, *LEGACY)
READ = TAGS | frozenset(tag_of(event_type) for event_type in _SHOWING)
"""Whatever else happens is looked at by its tag alone."""
RULING = frozenset({tag_of(AudienceChanged), tag_of(AudienceRetired)})
"""What judges the service tokens that were given before it: each is the first event of its page, so that all those are kept by then."""

MOST_ROWS = 5_000
"""Facts of so many events that one transaction takes them in without anybody's patience ending: one event has more where roles or audiences
are thousands, and the next ones have their turn after it."""

MOST_TOKENS = 2_000
"""Service tokens that one transaction tells an audience's refusal of. With more, its event stays the next until all of them are told."""

WRITTEN_AT_ONCE = 256
"""Then whoever else is in this process has a turn: a fact is written in some 20 us."""


class Told(Struct, frozen=True, kw_only=True):
    """What a page tells up to the position `through`. `audiences`: classes it opens, each with whether it hears of roles. `given` are
    service tokens to keep, `over` those to forget. Not `whole` where the position stays, as there is more to tell of what follows it."""

    through: int
    epoch: int
    life: int
    audiences: Sequence[tuple[SignalClass, bool]] = ()
    rows: Sequence[Row]
    given: Sequence[GivenToken] = ()
    over: Sequence[TokenId] = ()
    whole: bool = True


class _Happened(Struct, frozen=True):
    stored: StoredEvent
    event: Event
    change: Change


class Teller:
    """Asks heads for what is true now: a fact may be newer than its event, and is never older."""

    def __init__(self, store: EventStore, outbox: Outbox, signer: SignalSigner) -> None:
        self._store = store
        self._outbox = outbox
        self._signer = signer

    async def told(self, page: LogPage, state: State, *, ended_by: float) -> Told:
        """Leave out what had ended by then, in seconds since 1970. Raises UnknownEventTag rather than ever passing one over."""
        page = _up_to_rules(page)
        events = [(stored, event) for stored in page.events if (event := _read(stored)) is not None]
        happened = [_Happened(stored, event, change) for stored, event in events for change in changes(event)]
        anew = [AudienceRedefined(name) for name in sorted(state.told)] if page.epoch != state.epoch else []
        life = max([state.life, *(life_in(event) for _, event in events)])
        known = await self._known([*anew, *(each.change for each in happened)], state.told)
        if happened and isinstance(rule := happened[0].change, AudienceRuled):
            known = replace(known, given=await self._outbox.tokens.refused(rule, MOST_TOKENS))
            if len(known.given) == MOST_TOKENS:
                return _in_part(self._rows(happened[0], known, life=life, epoch=page.epoch), known.given, state)
        opened: set[AudienceName] = set()
        rows = list(self._anew(anew, known, version=page.epoch << 40 | state.position))
        through, before = page.through, None
        for each in happened:
            if len(rows) >= MOST_ROWS and before is not None and before is not each.stored:
                through = before.position or 0
                break
            before = each.stored
            if isinstance(each.change, AudienceRedefined):
                opened.add(name := each.change.audience)
                known = replace(known, told=known.told | {name}) if _is_for_people(known.audiences[name]) else known
            more = list(self._rows(each, known, life=life, epoch=page.epoch))
            if len(rows) % WRITTEN_AT_ONCE + len(more) >= WRITTEN_AT_ONCE:
                await asyncio.sleep(0)
            rows += more
        audiences = [(roles_class(name), name in known.told) for name in sorted(opened)]
        given, over = kept((event for stored, event in events if (stored.position or 0) <= through), ended_by)
        over = [*over, *(token.token_id for token in known.given)]
        told = _newest(rows, ended_by)
        return Told(through=through, epoch=page.epoch, life=life, audiences=audiences, rows=told, given=given, over=over)

    async def review(self, state: State) -> Told:
        """Judge all service tokens there are by what their audiences are like now: code that did not may have led before."""
        names = await self._outbox.tokens.audiences()
        known = await self._known([AudienceRedefined(name) for name in names], state.told)
        for name in names:
            rule = AudienceRuled(name, known.audiences.get(name, audience.decider.initial))
            if given := await self._outbox.tokens.refused(rule, MOST_TOKENS):
                return _in_part(self._anew([rule], Known(given=given), version=0), given, state)
        return Told(through=state.position, epoch=state.epoch, life=state.life, rows=[])

    def _rows(self, of: _Happened, known: Known, *, life: int, epoch: int) -> Iterable[Row]:
        for signal in tell(of.change, known, at=of.event.at, life=life, version=epoch << 40 | (of.stored.position or 0)):
            yield self._row(signal, of.stored.event_id, of.stored.correlation_id)

    def _anew(self, changed: Iterable[Change], known: Known, *, version: int) -> Iterable[Row]:
        """Say what roles give in another epoch of the log: services may know it of a lost history, as of a later position."""
        at = datetime.now(UTC)
        for signal in (signal for change in changed for signal in tell(change, known, at=at, life=0, version=version)):
            yield self._row(signal, EventId(uuid4()), CorrelationId(uuid4()))

    def _row(self, signal: Signal, event_id: EventId, txn: CorrelationId) -> Row:
        body = self._signer.body(signal, event_id=event_id, txn=txn)
        return Row(class_of(signal.fact), DURABLE + subject_of(signal.fact), body, until_of(signal.fact))

    async def _known(self, of: Sequence[Change], told: frozenset[AudienceName]) -> Known:
        """Audiences that are defined by now, and whose own event comes later, have no class to tell anything to yet."""
        wanted = needs(of)
        users = await self._states(user.decider, {each: user.stream(each) for each in wanted.users})
        clients = await self._states(client.decider, {each: client.stream(each) for each in wanted.clients})
        if not wanted.catalogue:
            return Known(users=users, clients=clients, told=told)
        heads = await self._outbox.catalogue()
        audiences = await self._named(heads, audience.decider, AudienceName)
        roles = await self._named(heads, role.decider, RoleName)
        return Known(users=users, clients=clients, roles=roles, audiences=audiences, told=told)

    async def _states(self, of: Decider[S, Any], streams: Mapping[K, StreamName]) -> dict[K, S]:
        if not streams:
            return {}
        heads = await self._store.load(list(streams.values()))
        return {each: await folded(self._store, head, of) for each, head in zip(streams, heads.heads, strict=True)}

    async def _named(self, heads: Iterable[StoredHead], of: Decider[S, Any], name: Callable[[str], K]) -> dict[K, S]:
        prefix = f"{of.category}-"
        found = [head for head in heads if head.stream.startswith(prefix)]
        return {name(head.stream.removeprefix(prefix)): await folded(self._store, head, of) for head in found}


def _up_to_rules(page: LogPage) -> LogPage:
    for number, stored in enumerate(page.events[1:], 1):
        if stored.type in RULING:
            return replace(page, events=page.events[:number], through=page.events[number - 1].position or 0)
    return page


def _in_part(rows: Iterable[Row], refused: Iterable[GivenToken], state: State) -> Told:
    over = [token.token_id for token in refused]
    return Told(through=state.position, epoch=state.epoch, life=state.life, rows=list(rows), over=over, whole=False)


def _newest(rows: Iterable[Row], ended_by: float) -> Sequence[Row]:
    """Give the last of each subject, in the order of these, without what had ended."""
    newest: dict[tuple[SignalClass, str], Row] = {}
    for row in rows:
        if row.until is None or row.until > ended_by:
            newest.pop((row.of_class, row.subject), None)
            newest[row.of_class, row.subject] = row
    return list(newest.values())


def _read(stored: StoredEvent) -> Event | None:
    if stored.pruned:
        return None
    if stored.type in READ:
        return decode_event(stored.type, stored.payload)
    if stored.type not in EVENT_TYPES:
        raise UnknownEventTag(stored.type)
    return None


def _is_for_people(state: audience.Audience) -> bool:
    try:
        audience.open_to_people(state)
    except AudienceNotAllowed:
        return False
    return True
