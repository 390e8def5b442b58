"""Random histories of users and sessions, as hypothesis finds them: what could happen, in any order it could happen in."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hypothesis import strategies as st
from msgspec.structs import replace

from domain import deletion, session, session_end, session_state, user, user_password
from domain.event import Event
from domain.ids import AudienceName, ClientId, RoleName, SessionId, StreamName, UserId
from domain.session_events import AuthMethod, EndReason
from domain.user_events import AskedBy, DeleteReason, SuspendReason
from tests.projections.histories import now, password_set, registered, sealed, uuid7

Choice = tuple[int, int, int]
CHOICES = st.lists(st.tuples(st.integers(0, 13), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30)


@dataclass
class Play:
    """Turns choices into decisions of the domain, so that only histories come out that can be."""

    users: list[UserId] = field(default_factory=list)
    sessions: list[tuple[SessionId, UserId]] = field(default_factory=list)
    states: dict[StreamName, Any] = field(default_factory=dict)
    now: Callable[[], datetime] = now

    def act(self, choice: Choice) -> tuple[StreamName, list[Event]]:
        what, who, which = choice
        if what == 0 or not self.users:
            user_id = UserId(uuid7())
            self.users.append(user_id)
            opened: list[Event] = [replace(event, at=self.now()) for event in (registered(user_id), password_set(user_id))]
            return self._keep(user.decider, user.stream(user_id), opened)
        if what == 1 or (8 <= what <= 12 and not self.sessions):
            return self._sign_in(self.users[who % len(self.users)])
        if 8 <= what <= 12:
            return self._in_session(what, *self.sessions[which % len(self.sessions)])
        return self._on_user(what, self.users[who % len(self.users)], which)

    def _on_user(self, what: int, user_id: UserId, which: int) -> tuple[StreamName, list[Event]]:
        stream, at = user.stream(user_id), self.now()
        state = self.states[stream]
        role = self.role(which)
        if isinstance(state, user.Deleted | user.Erased):
            return stream, []
        events: Any = {
            2: lambda: user.grant_role(state, role, at=at),
            3: lambda: user.revoke_role(state, role, at=at),
            4: lambda: user.suspend(state, reason=SuspendReason.ABUSE, note=None, at=at),
            5: lambda: user.reinstate(state, at=at),
            6: lambda: user.sign_out_everywhere(state, at=at),
            13: lambda: self._erase(state) if which == 0 else [],
            7: lambda: user.change_profile(state, name=sealed(f"name {which}"), at=at) if which else self._rehash(state),
        }[what]()
        return self._keep(user.decider, stream, list(events))

    def role(self, which: int) -> RoleName:
        return RoleName(f"role{which}")

    def _erase(self, state: Any) -> Any:
        deleted = deletion.delete(state, reason=DeleteReason.ERASURE, restorable_s=0, at=self.now())
        after = user.decider.fold(deleted, state)
        return [*deleted, *deletion.erase(after, asked_by=AskedBy.OWN_REQUEST, keys=[], claims=[], at=self.now())]

    def _rehash(self, state: Any) -> Any:
        return user_password.rehash_password(state, password=sealed("again"), verified=user.account_of(state).password, at=self.now())

    def _sign_in(self, user_id: UserId) -> tuple[StreamName, list[Event]]:
        session_id = SessionId(uuid7())
        self.sessions.append((session_id, user_id))
        events = session.start(
            session_state.Absent(),
            session_id=session_id,
            user_id=user_id,
            token_epoch=1,
            audiences=[AudienceName("minos")],
            client_id=ClientId("minos"),
            amr=[AuthMethod.PASSWORD],
            seed=b"s" * 32,
            idle_ttl=600,
            absolute_ttl=6_000,
            network=sealed(),
            user_agent=None,
            device_name=None,
            at=self.now(),
        )
        return self._keep(session.decider, session.stream(session_id), list(events))

    def _in_session(self, what: int, session_id: SessionId, user_id: UserId) -> tuple[StreamName, list[Event]]:
        stream, at = session.stream(session_id), self.now()
        state = self.states[stream]
        events: Any = []
        if isinstance(state, session_state.Live):
            events = {
                8: lambda: session.issue(state, audience=AudienceName("minos"), key_version=1, access_ttl=60, at=at),
                9: lambda: session_end.revoke(state, user_epoch=state.token_epoch, reason=EndReason.LOGOUT, at=at),
                10: lambda: session.reauthenticate(state, methods=[AuthMethod.PASSWORD], at=at),
                11: lambda: session.rebase(state, token_epoch=state.token_epoch + 1, at=at),
                12: list,
            }[what]()
        if what == 12:
            events = session_end.erase(state, owner=user_id, at=at)
        return self._keep(session.decider, stream, list(events))

    def _keep(self, decider: Any, stream: StreamName, events: list[Event]) -> tuple[StreamName, list[Event]]:
        self.states[stream] = decider.fold(events, self.states.get(stream))
        return stream, events
