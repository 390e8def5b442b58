"""What is known to be over, and what roles are worth now. Merging takes the higher epoch or version, never a time or an order."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import assert_never

from minos_sdk.claims import Claims
from minos_sdk.compact_table import CompactTable
from minos_sdk.facts import (
    ApiKeyRevoked,
    ClientEpoch,
    Fact,
    KeyWithdrawn,
    RoleGives,
    SessionEnded,
    TokenRevoked,
    UserEpoch,
    UserRoles,
    compact,
)
from minos_sdk.identity import Identity

LONGEST_LEEWAY = 30
"""Seconds: what verifiers may grant, and how long a signal is kept beyond its time for that reason."""
_NEVER = 2**63 - 1
_PRUNED_AT_ONCE = 256
_MOST_KEPT = 4_096
_N = 8


@dataclass(frozen=True, slots=True)
class Ties:
    """All that a credential hangs on."""

    user: bytes | None
    session: bytes | None
    service: str | None
    client: str | None
    kid: str | None
    token: bytes | None
    api_key: bytes | None
    epoch: int


def ties_of_claims(claims: Claims) -> Ties:
    person = claims.principal == "user"
    return Ties(
        user=compact(claims.sub) if person else None,
        session=None if claims.sid is None else compact(claims.sid),
        service=None if person else claims.sub,
        client=claims.client_id,
        kid=claims.kid,
        token=compact(claims.jti),
        api_key=None,
        epoch=claims.epoch,
    )


def ties_of_identity(identity: Identity) -> Ties:
    """Of an API key, whose epochs are not known here, the key alone and its terminally ended client."""
    key = identity.principal == "api_key"
    return Ties(
        user=None if key or identity.user_id is None else compact(identity.user_id),
        session=None if identity.session_id is None else compact(identity.session_id),
        service=identity.subject if identity.principal == "service" else None,
        client=identity.client_id,
        kid=identity.kid,
        token=None if identity.token_id is None else compact(identity.token_id),
        api_key=None if identity.key_id is None else compact(identity.key_id),
        epoch=identity.epoch,
    )


@dataclass(frozen=True, slots=True)
class _Role:
    version: int
    permissions: frozenset[str]
    retired: bool


class Revocations:
    """The set of one audience. `version` rises with each change: a verdict of the same version still holds."""

    def __init__(self, audience: str) -> None:
        self.version = 0
        self._audience = audience
        self._sessions = CompactTable(_N)
        self._tokens = CompactTable(_N)
        self._api_keys = CompactTable(_N)
        self._users = CompactTable(2 * _N)
        self._user_roles = CompactTable(2 * _N + 4)
        self._keys: dict[str, int] = {}
        self._clients: dict[str, tuple[int, int]] = {}
        self._role_map: dict[str, _Role] = {}
        self._role_sets: list[frozenset[str]] = []
        self._role_set_numbers: dict[frozenset[str], int] = {}
        self._given: dict[frozenset[str], frozenset[str]] = {}
        self._pruning = 0

    def __len__(self) -> int:
        return sum(self.entries().values())

    def entries(self) -> Mapping[str, int]:
        """How many of each kind are known."""
        return {
            "session": len(self._sessions), "user": len(self._users), "client": len(self._clients), "key": len(self._keys),
            "token": len(self._tokens), "api_key": len(self._api_keys), "roles": len(self._user_roles), "role_map": len(self._role_map),
        }  # fmt: skip

    def merge(self, fact: Fact) -> bool:
        """Take a fact in. False when it says nothing new, or is of another audience."""
        changed = self._merge(fact)
        self.version += changed
        return changed

    def refusal(self, ties: Ties) -> str | None:
        """Say what of a credential's is over; None while all of it stands."""
        if ties.session is not None and self._sessions.get(ties.session) is not None:
            return "session"
        if ties.user is not None and (known := self._users.get(ties.user)) is not None and ties.epoch < _number(known[:_N]):
            return "user"
        if self._clients and (reason := self._refusal_of_client(ties)) is not None:
            return reason
        if ties.kid in self._keys:
            return "key"
        if ties.token is not None and self._tokens.get(ties.token) is not None:
            return "token"
        if ties.api_key is not None and self._api_keys.get(ties.api_key) is not None:
            return "api_key"
        return None

    def narrowed(self, identity: Identity, claims: Claims, user: bytes | None) -> Identity:
        """Give a person's identity with the roles that still count, and what these give (threats.md 10: never more than the token's)."""
        if user is None:
            return identity
        roles = self._standing_roles(claims, user)
        permissions = self.given_by(roles)
        if roles == identity.roles and permissions == identity.permissions:
            return identity
        return replace(identity, roles=roles, permissions=permissions)

    def given_by(self, roles: frozenset[str]) -> frozenset[str]:
        """Give what roles allow at this audience now."""
        permissions = self._given.get(roles)
        if permissions is None:
            found = [self._role_map[role].permissions for role in roles if role in self._role_map]
            permissions = frozenset[str]().union(*found)
            if len(self._given) < _MOST_KEPT:
                self._given[roles] = permissions
        return permissions

    def prune(self, server_time: float) -> None:
        """Forget some of what is over by the issuer's own clock: never by the one here, which may be wrong."""
        over = server_time - LONGEST_LEEWAY
        first = self._pruning
        for table in self._tables():
            self._pruning = table.prune(lambda value: _number(value[-_N:]) < over, first=first, buckets=_PRUNED_AT_ONCE)
        if self._pruning == 0:
            self._keys = {kid: until for kid, until in self._keys.items() if until >= over}
            self._clients = {name: known for name, known in self._clients.items() if known[1] >= over}

    def _tables(self) -> tuple[CompactTable, ...]:
        return self._sessions, self._tokens, self._api_keys, self._users, self._user_roles

    def _merge(self, fact: Fact) -> bool:
        match fact:
            case SessionEnded():
                return _end(self._sessions, compact(fact.session_id), fact.until)
            case TokenRevoked():
                return _end(self._tokens, compact(fact.token_id), fact.until)
            case ApiKeyRevoked():
                return _end(self._api_keys, compact(fact.key_id), fact.until)
            case KeyWithdrawn():
                known = self._keys.get(fact.kid)
                self._keys[fact.kid] = max(known or 0, _time(fact.until))
                return self._keys[fact.kid] != known
            case UserEpoch():
                return self._merge_user(fact)
            case ClientEpoch():
                return self._merge_client(fact)
            case UserRoles():
                return fact.audience == self._audience and self._merge_user_roles(fact)
            case RoleGives():
                return fact.audience == self._audience and self._merge_role(fact)
            case _:
                assert_never(fact)

    def _merge_user(self, fact: UserEpoch) -> bool:
        key = compact(fact.user_id)
        known = self._users.get(key)
        epoch, until = (0, 0) if known is None else (_number(known[:_N]), _number(known[_N:]))
        return _put(self._users, key, known, _bytes(max(epoch, fact.epoch)) + _bytes(max(until, _time(fact.until))))

    def _merge_client(self, fact: ClientEpoch) -> bool:
        known = self._clients.get(fact.client_id)
        epoch, until = known or (0, 0)
        merged = (max(epoch, _NEVER if fact.epoch is None else fact.epoch), max(until, _time(fact.until)))
        self._clients[fact.client_id] = merged
        return merged != known

    def _merge_user_roles(self, fact: UserRoles) -> bool:
        key = compact(fact.user_id)
        known = self._user_roles.get(key)
        version, roles, until = fact.version, fact.roles, _time(fact.until)
        if known is not None:
            until = max(until, _number(known[-_N:]))
            version, roles = _newer((_number(known[:_N]), self._role_sets[_number(known[_N:-_N])]), (version, roles))
        return _put(self._user_roles, key, known, _bytes(version) + self._role_set_number(roles).to_bytes(4, "big") + _bytes(until))

    def _merge_role(self, fact: RoleGives) -> bool:
        known = self._role_map.get(fact.role)
        version, permissions, retired = fact.version, fact.permissions, fact.retired
        if known is not None:
            retired = known.retired if known.version > version else retired or (known.retired and known.version == version)
            version, permissions = _newer((known.version, known.permissions), (version, permissions))
        self._role_map[fact.role] = merged = _Role(version, permissions, retired)
        if merged == known:
            return False
        self._given.clear()
        return True

    def _role_set_number(self, roles: frozenset[str]) -> int:
        number = self._role_set_numbers.setdefault(roles, len(self._role_sets))
        if number == len(self._role_sets):
            self._role_sets.append(roles)
        return number

    def _refusal_of_client(self, ties: Ties) -> str | None:
        if ties.service is not None and (known := self._clients.get(ties.service)) is not None and ties.epoch < known[0]:
            return "client"
        if ties.client is not None and (known := self._clients.get(ties.client)) is not None and known[0] == _NEVER:
            return "client"
        return None

    def _standing_roles(self, claims: Claims, user: bytes) -> frozenset[str]:
        roles = claims.roles
        known = self._user_roles.get(user)
        if known is not None and _number(known[:_N]) > claims.roles_version:
            roles &= self._role_sets[_number(known[_N:-_N])]
        gone = [role for role in roles if (entry := self._role_map.get(role)) is not None and entry.retired]
        return roles.difference(gone) if gone else roles


def _newer(known: tuple[int, frozenset[str]], told: tuple[int, frozenset[str]]) -> tuple[int, frozenset[str]]:
    """The one of the higher version; of the same version, which there should be once, what both say."""
    if known[0] == told[0]:
        return known[0], known[1] & told[1]
    return known if known[0] > told[0] else told


def _end(table: CompactTable, key: bytes, until: int | None) -> bool:
    known = table.get(key)
    return _put(table, key, known, _bytes(max(_time(until), 0 if known is None else _number(known))))


def _put(table: CompactTable, key: bytes, known: bytes | None, merged: bytes) -> bool:
    if merged == known:
        return False
    table.put(key, merged)
    return True


def _time(until: int | None) -> int:
    return _NEVER if until is None else until


def _number(raw: bytes) -> int:
    return int.from_bytes(raw, "big")


def _bytes(number: int) -> bytes:
    return number.to_bytes(_N, "big")
