"""Random histories of everything that gives somebody a right or takes it: roles, accounts, service accounts, API keys, demands."""

from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

from hypothesis import strategies as st
from msgspec.structs import replace

from domain import api_key, client, deletion, factor_policy, role, user
from domain.api_key import KeyDigest, KeyRevocation
from domain.client_events import DisableReason
from domain.errors import Refused
from domain.event import Event
from domain.factor_policy import Requirement
from domain.ids import AudienceName, ClientId, Digest, KeyId, RoleName, StreamName
from domain.permission import Permission
from domain.user_events import DeleteReason
from tests.projections.histories import password_set, sealed, uuid7
from tests.projections.random_histories import Choice, Play

RIGHTS = st.lists(st.tuples(st.integers(0, 28), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40)
PERMISSIONS = tuple(map(Permission, ("tasks.read", "tasks.*", "*.read", "*", "minos.audit.read", "tasks.write.own")))
_plays = count(1)
AUDIENCES = tuple(map(AudienceName, ("minos", "tasks")))


@dataclass
class RightsPlay(Play):
    keys: list[KeyId] = field(default_factory=list)
    number: int = field(default_factory=_plays.__next__)

    @property
    def roles(self) -> tuple[RoleName, ...]:
        return tuple(RoleName(f"role{n}-{self.number}") for n in range(3))

    @property
    def robots(self) -> tuple[ClientId, ...]:
        return tuple(ClientId(f"robot{n}-{self.number}") for n in range(2))

    def role(self, which: int) -> RoleName:
        return self.roles[which % 3]

    def act(self, choice: Choice) -> tuple[StreamName, list[Event]]:
        try:
            return super().act(choice) if choice[0] < 14 else self._act(*choice)
        except Refused:
            return StreamName("nothing"), []

    def _act(self, what: int, who: int, which: int) -> tuple[StreamName, list[Event]]:
        if what < 18:
            return self._on_role(what, self.roles[who % 3], which)
        if what < 19:
            wish = {"role": self.roles[who % 3], "requirement": tuple(Requirement)[which % 3]}
            return self._decide(factor_policy, factor_policy.STREAM, factor_policy.ask_of_role, **wish)
        if what < 23:
            return self._on_robot(what, self.robots[who % 2], which)
        if what < 27:
            return self._on_key(what, who, which)
        if not self.users:
            return super().act((0, who, which))
        return self._on_account(what, who, which)

    def _on_role(self, what: int, name: RoleName, which: int) -> tuple[StreamName, list[Event]]:
        stream = role.stream(name)
        given = [PERMISSIONS[which], PERMISSIONS[which + 2]]
        if isinstance(self.states.get(stream, role.Undefined()), role.Undefined):
            return self._decide(role, stream, role.define, role=name, permissions=given, description=None)
        if isinstance(self.states[stream], role.Retired):
            return stream, []
        if what == 17 and which == 0:
            return self._decide(role, stream, role.retire)
        return self._decide(role, stream, role.change_permissions, permissions=given[: 1 + which % 2] if which < 3 else [])

    def _on_robot(self, what: int, robot: ClientId, which: int) -> tuple[StreamName, list[Event]]:
        stream = client.stream(robot)
        audiences, may = AUDIENCES[: 1 + which % 2], [PERMISSIONS[which], PERMISSIONS[which + 1]]
        wish: dict[str, Any] = {"owner_id": None, "name": sealed(), "audiences": audiences, "permissions": may, "token_ttl": 300}
        state = self.states.get(stream, client.Absent())
        if isinstance(state, client.Absent):
            return self._decide(client, stream, client.register, client_id=robot, **wish)
        if isinstance(state, client.Deleted):
            return stream, []
        if what == 19:
            return self._decide(client, stream, client.change, **wish)
        if what == 20:
            return self._decide(client, stream, client.disable, reason=DisableReason.COMPROMISED)
        if what == 21:
            return self._decide(client, stream, client.enable)
        return self._decide(client, stream, client.delete) if which == 0 else (stream, [])

    def _on_key(self, what: int, who: int, which: int) -> tuple[StreamName, list[Event]]:
        if what < 25 or not self.keys:
            return self._make_key(who, which)
        stream = api_key.stream(self.keys[who % len(self.keys)])
        if not isinstance(self.states[stream], api_key.Live):
            return stream, []
        if what == 25:
            return self._decide(api_key, stream, api_key.rotate, secret=_secret(which + 2), overlap=60, ttl=1_000 * (which + 1))
        return self._decide(api_key, stream, api_key.revoke, reason=KeyRevocation.LEAKED)

    def _make_key(self, who: int, which: int) -> tuple[StreamName, list[Event]]:
        of_person = bool(self.users) and who < 2
        key_id = KeyId(uuid7())
        self.keys.append(key_id)
        return self._decide(
            api_key, api_key.stream(key_id), api_key.make,
            key_id=key_id, user_id=self.users[who % len(self.users)] if of_person else None,
            client_id=None if of_person else self.robots[who % 2],
            name=sealed(), audience=AUDIENCES[which % 2], permissions=[PERMISSIONS[which]],
            secret=_secret(1), ttl=3_600 if which else 1,
        )  # fmt: skip

    def _on_account(self, what: int, who: int, which: int) -> tuple[StreamName, list[Event]]:
        user_id = self.users[who % len(self.users)]
        stream = user.stream(user_id)
        state = self.states[stream]
        if what == 27 and isinstance(state, user.Deleted):
            return self._decide(deletion, stream, deletion.restore) if which else (stream, [])
        if what == 27:
            return self._decide(deletion, stream, deletion.delete, reason=DeleteReason.LEFT, restorable_s=600)
        if isinstance(state, user.Deleted | user.Erased):
            return stream, []
        account = user.account_of(state)
        changed = password_set(user_id, version=account.password_version + 1, epoch=account.token_epoch + 1)
        return self._keep(user.decider, stream, [replace(changed, at=self.now())])

    def _decide(self, module: Any, stream: StreamName, decision: Any, **facts: Any) -> tuple[StreamName, list[Event]]:
        decider = user.decider if module is deletion else module.decider
        at: datetime = self.now()
        return self._keep(decider, stream, list(decision(self.states.get(stream, decider.initial), **facts, at=at)))


def _secret(version: int) -> KeyDigest:
    return KeyDigest(digest=Digest(f"{version:043d}"), key_version=version)
