"""What held of some streams at one moment, and what follows from it for those who act: by the rules of today, on the facts of then."""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from domain import client, key_bounds, role
from domain.audience import Audience, for_client, scope
from domain.errors import AudienceNotAllowed
from domain.factor_policy import STREAM as FACTOR_POLICY
from domain.factor_policy import Requirement
from domain.ids import AudienceName, ClientId, RoleName, StreamName
from domain.permission import Permission, shared
from projections.past import facts
from projections.past.audience_rules import rules_at
from projections.past.moments import Moment
from projections.past.rights import REQUIREMENTS, What, rights
from projections.periods import Mark, Period
from projections.projection import category_of
from projections.reading import ReadModels


class Standing(StrEnum):
    """Whether somebody could act at all, or something was in force."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    DELETED = "deleted"
    ERASED = "erased"
    DISABLED = "disabled"
    """A service account, for a while."""
    ENDED = "ended"
    """A role that was retired, a service account that was deleted, an API key that was revoked or whose time was over."""
    ABSENT = "absent"
    """Not there yet, or never."""


class Given(Struct, frozen=True):
    """What may be done at an audience, and the events it follows from. Of a person's roles it is the same at every audience: None."""

    permissions: tuple[Permission, ...]
    cites: tuple[Mark, ...]
    audience: AudienceName | None = None


_NOTHING = Given((), ())
_BARS = {
    What.ERASED: Standing.ERASED,
    What.DELETED: Standing.DELETED,
    What.SUSPENDED: Standing.SUSPENDED,
    What.DISABLED: Standing.DISABLED,
}


class Snapshot(Struct, frozen=True):
    """Facts by stream at a moment, and audiences by name."""

    then: Moment
    facts: Mapping[StreamName, Sequence[Period]]
    audiences: Mapping[AudienceName, Audience]
    erased: frozenset[StreamName]
    """Of those asked about, who was forgotten since, or by then: nothing of them is left but the id."""

    def of(self, stream: StreamName, kind: What) -> Sequence[Period]:
        return [period for period in self.facts.get(stream, ()) if period.fact.what == kind]

    def one(self, stream: StreamName, kind: What) -> Period | None:
        return next(iter(self.of(stream, kind)), None)

    def names(self, stream: StreamName, kind: What) -> tuple[str, ...]:
        return tuple(period.fact.name for period in self.of(stream, kind))

    def barred(self, stream: StreamName) -> tuple[Standing, Period] | None:
        """Give why an account or service account could do nothing, whatever else it had."""
        for kind, standing in _BARS.items():
            if period := self.one(stream, kind):
                return standing, period
        return None

    def role(self, name: RoleName) -> Given:
        """Give what a role gave; a retired one gave nothing."""
        stream = role.stream(name)
        defined = self.one(stream, What.DEFINED)
        permissions = tuple(Permission(text) for text in self.names(stream, What.GIVES))
        return _NOTHING if defined is None else Given(permissions, (defined.since,))

    def demand(self, name: RoleName) -> tuple[Requirement, tuple[Mark, ...]]:
        """Give which factor had to be shown before a role gave anything."""
        for period in self.of(FACTOR_POLICY, What.DEMANDS):
            if period.fact.name == name:
                return REQUIREMENTS[period.fact.number or 0], (period.since,)
        return Requirement.NONE, ()

    def service(self, stream: StreamName) -> Sequence[Given]:
        """Give what a service account could have in tokens, by audience."""
        if self.barred(stream):
            return ()
        client_id = ClientId(stream.removeprefix("client-"))
        held = tuple(Permission(text) for text in self.names(stream, What.MAY))
        cites = _since(self.of(stream, What.MAY))
        found: list[Given] = []
        for audience in map(AudienceName, self.names(stream, What.MAY_ASK)):
            try:
                permissions = scope(for_client(self.audiences[audience], client_id), held)
            except AudienceNotAllowed:
                continue
            found.append(Given(permissions, cites, audience))
        return found

    def lasts(self, stream: StreamName) -> bool:
        """Tell whether an API key's time was not over."""
        ends = self.one(stream, What.KEY_UNTIL)
        return ends is not None and ends.fact.until is not None and self.then.at < ends.fact.until

    def key(self, stream: StreamName) -> Given:
        """Give what an API key opened: never more than its owner could do."""
        owner, asked = self.one(stream, What.OWNER), self.one(stream, What.KEY_FOR)
        if owner is None or asked is None or not self.lasts(stream):
            return _NOTHING
        audience, own = AudienceName(asked.fact.name), tuple(Permission(text) for text in self.names(stream, What.KEY_MAY))
        bounds = self._owner(StreamName(owner.fact.name), audience)
        return Given(shared(own, bounds.permissions), (owner.since, *bounds.cites), audience)

    def _owner(self, stream: StreamName, audience: AudienceName) -> Given:
        if self.barred(stream):
            return _NOTHING
        asked = self.audiences[audience]
        try:
            if category_of(stream) == client.decider.category:
                return Given(
                    key_bounds.of_service(
                        asked,
                        audience,
                        client_id=ClientId(stream.removeprefix("client-")),
                        audiences=tuple(map(AudienceName, self.names(stream, What.MAY_ASK))),
                        permissions=tuple(map(Permission, self.names(stream, What.MAY))),
                    ),
                    _since(self.of(stream, What.MAY)),
                )
            roles = self.of(stream, What.ROLE)
            given = {RoleName(period.fact.name): self.role(RoleName(period.fact.name)) for period in roles}
            return Given(
                key_bounds.of_person(asked, audience, roles=given, given={name: each.permissions for name, each in given.items()}),
                tuple(dict.fromkeys((*_since(roles), *(mark for each in given.values() for mark in each.cites)))),
            )
        except AudienceNotAllowed:
            return _NOTHING


def _since(periods: Iterable[Period]) -> tuple[Mark, ...]:
    return tuple(dict.fromkeys(period.since for period in periods))


async def look(models: ReadModels, then: Moment, streams: Sequence[StreamName]) -> Snapshot:
    """Read what held of these streams, and of all that decides with them: owners of keys, roles, demands, audiences."""
    held = dict(await facts.at(models, rights, [FACTOR_POLICY, *streams], then.position))
    owners = {StreamName(p.fact.name) for periods in held.values() for p in periods if p.fact.what == What.OWNER} - held.keys()
    if owners:
        held.update(await facts.at(models, rights, owners, then.position))
    roles = {role.stream(RoleName(p.fact.name)) for periods in held.values() for p in periods if p.fact.what == What.ROLE} - held.keys()
    if roles:
        held.update(await facts.at(models, rights, roles, then.position))
    asked = {AudienceName(p.fact.name) for periods in held.values() for p in periods if p.fact.what in {What.KEY_FOR, What.MAY_ASK}}
    return Snapshot(then, held, await rules_at(models, asked, then.position), await forgotten(models, streams))


async def forgotten(models: ReadModels, streams: Iterable[StreamName]) -> frozenset[StreamName]:
    """Give which accounts were erased, as it is now, whatever the moment: a key that is gone is gone for every answer."""
    accounts = [stream for stream in streams if category_of(stream) == "user"]
    records = await models.fetch(rights, facts.SQL["erased"], accounts, What.ERASED) if accounts else ()
    return frozenset(StreamName(record["stream"]) for record in records)
