"""The past as anybody would work it out who has time: every event up to there folded, and everybody looked at. Shares nothing with what is
tested but the domain's own rules."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from domain import api_key, audience, client, factor_policy, role, session, user
from domain.audience import BUILT_IN, for_client, for_user, in_catalogue, scope
from domain.decider import Decider
from domain.errors import AudienceNotAllowed
from domain.event import Recorded
from domain.ids import AudienceName, RoleName, StreamName, UserId
from domain.permission import Permission, allows, covers, shared
from projections.projection import category_of

_DECIDERS: dict[str, Decider[Any, Any]] = {
    of.category: of for of in (user.decider, role.decider, client.decider, api_key.decider, session.decider, factor_policy.decider)
}

PlainRight: TypeAlias = tuple[StreamName, str, str, object]
"""Of which stream, what kind, which one, on what terms."""


def position_of(log: Sequence[Recorded[Any]], at: datetime) -> int:
    """The last position whose log time is not after a moment, log time being the newest that was ever recorded up to there."""
    latest, found = datetime.min.replace(tzinfo=at.tzinfo), 0
    for event in log:
        latest = max(latest, event.recorded_at)
        if latest <= at:
            found = event.position or 0
    return found


@dataclass
class PlainPast:
    """Every state at a position, judged at a moment."""

    at: datetime
    states: dict[StreamName, Any] = field(default_factory=dict)

    @staticmethod
    def of(log: Iterable[Recorded[Any]], position: int, at: datetime) -> "PlainPast":
        past = PlainPast(at)
        for event in log:
            decider = _DECIDERS.get(category_of(event.stream))
            if decider is not None and (event.position or 0) <= position:
                before = past.states.get(event.stream, decider.initial)
                past.states[event.stream] = decider.fold([event.event], before)
        return past

    def who_can(self, wanted: Permission) -> set[tuple[str, str, str | tuple[str, ...], str]]:
        found: set[tuple[str, str, str | tuple[str, ...], str]] = set()
        for stream, state in self.states.items():
            name = stream.partition("-")[2]
            match state:
                case user.Active(account=account):
                    for held in account.roles:
                        if any(covers(permission, wanted) for permission in self._gives(held)):
                            found.add(("user", name, held, self.needs(held)))
                case client.Registered() if where := self._service(state, wanted):
                    found.add(("service_account", name, where, "none"))
                case api_key.Live() if allows(self.key(state), wanted):
                    found.add(("api_key", name, (state.audience,), "none"))
                case _:
                    pass
        return found

    def what_can(self, stream: StreamName) -> set[tuple[str, str, tuple[Permission, ...], str | None]]:
        state = self.states.get(stream)
        found: set[tuple[str, str, tuple[Permission, ...], str | None]] = set()
        if isinstance(state, user.Active):
            found |= {("role", held, tuple(sorted(self._gives(held))), None) for held in state.account.roles}
        if isinstance(state, client.Registered) and state.enabled:
            for name in state.audiences:
                found.add(("service_account", state.client_id, self._in_tokens(state, name), name))
        for key in self.states.values():
            if isinstance(key, api_key.Live) and stream in {f"user-{key.user_id}", f"client-{key.client_id}"}:
                found.add(("api_key", str(key.key_id), tuple(sorted(self.key(key))), key.audience))
        return {row for row in found if row[2]}

    def rights(self) -> set[PlainRight]:
        """Everything that is told of where two moments are compared. Of whoever is erased: that, and nothing of before."""
        found: set[PlainRight] = set()
        for stream, state in self.states.items():
            found |= {(stream, what, name, terms) for what, name, terms in self._of(state)}
        return found

    def _of(self, state: Any) -> Iterable[tuple[str, str, object]]:
        match state:
            case user.Erased():
                yield "erased", "", None
            case user.Active() | user.Suspended() | user.Deleted():
                yield from (("role", name, None) for name in state.account.roles)
                if isinstance(state, user.Suspended) or (isinstance(state, user.Deleted) and isinstance(state.before, user.Suspended)):
                    yield "suspended", "", None
                if isinstance(state, user.Deleted):
                    yield "deleted", "", None
            case role.Defined():
                yield from [("defined", "", None), *(("gives", permission, None) for permission in state.permissions)]
            case factor_policy.FactorPolicy():
                yield from (("demands", name, str(wanted)) for name, wanted in state.roles.items() if wanted != "none")
            case client.Registered():
                yield from [("registered", "", None)] + ([] if state.enabled else [("disabled", "", None)])
                yield from [*(("may", each, None) for each in state.permissions), *(("may_ask", each, None) for each in state.audiences)]
            case api_key.Live():
                owner = f"user-{state.user_id}" if state.user_id is not None else f"client-{state.client_id}"
                yield from [("owner", owner, None), *(("key_may", each, None) for each in state.permissions)]
                yield from [("key_for", state.audience, None), ("key_until", "", state.expires_at)]
            case _:
                pass

    def who_has(self, name: RoleName) -> set[tuple[UserId, str]]:
        stages = {user.Active: "active", user.Suspended: "suspended", user.Deleted: "deleted"}
        accounts = [(user.account_of(state), stages[type(state)]) for state in self.states.values() if type(state) in stages]
        return {(account.user_id, how) for account, how in accounts if name in account.roles}

    def sessions_of(self, user_id: UserId) -> set[tuple[Any, datetime]]:
        account: Any = self.states[user.stream(user_id)]
        epoch = account.token_epoch if isinstance(account, user.Erased) else user.account_of(account).token_epoch
        return {
            (state.session_id, state.idle_expires_at)
            for stream, state in self.states.items()
            if category_of(stream) == "session" and session.is_live(state, user_epoch=epoch, at=self.at) and state.user_id == user_id
        }

    def needs(self, name: RoleName) -> str:
        policy = self.states.get(factor_policy.STREAM, factor_policy.FactorPolicy())
        return str(policy.roles.get(name, factor_policy.Requirement.NONE))

    def _gives(self, name: RoleName) -> Sequence[Permission]:
        return role.gives(self.states.get(role.stream(name), role.Undefined()))

    def _service(self, state: client.Registered, wanted: Permission) -> tuple[str, ...]:
        return tuple(sorted(name for name in state.audiences if state.enabled and allows(self._in_tokens(state, name), wanted)))

    def _in_tokens(self, state: client.Registered, name: AudienceName) -> tuple[Permission, ...]:
        asked = BUILT_IN.get(name, audience.Undefined())
        try:
            return scope(for_client(asked, state.client_id), state.permissions)
        except AudienceNotAllowed:
            return ()

    def key(self, state: api_key.Live) -> Sequence[Permission]:
        """What commands/key_holders.py would let it do."""
        asked = BUILT_IN.get(state.audience, audience.Undefined())
        if self.at >= state.expires_at:
            return ()
        try:
            if state.client_id is not None:
                account = self.states.get(client.stream(state.client_id))
                if not isinstance(account, client.Registered) or not account.enabled or state.audience not in account.audiences:
                    return ()
                return shared(state.permissions, in_catalogue(state.audience, for_client(asked, state.client_id), account.permissions))
            owner = self.states.get(user.stream(state.user_id or UserId(state.key_id)))
            if not isinstance(owner, user.Active):
                return ()
            held = [permission for name in owner.account.roles for permission in self._gives(name)]
            return shared(state.permissions, in_catalogue(state.audience, for_user(asked, owner.account.roles), held))
        except AudienceNotAllowed:
            return ()
