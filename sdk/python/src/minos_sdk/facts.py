"""What signals tell: one fact each, to be merged in any order, any number of times."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from minos_sdk.claims import number, text, texts
from minos_sdk.jws import Malformed, Object


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """For good. `until`, here and below: seconds since 1970 after which nothing it covers can be good; None: never."""

    session_id: str
    until: int | None


@dataclass(frozen=True, slots=True)
class UserEpoch:
    """Tokens of this person with a lower epoch are over."""

    user_id: str
    epoch: int
    until: int | None


@dataclass(frozen=True, slots=True)
class ClientEpoch:
    """Tokens of this service account with a lower epoch are over; without an epoch, all that name the client are, of persons too."""

    client_id: str
    epoch: int | None
    until: int | None


@dataclass(frozen=True, slots=True)
class KeyWithdrawn:
    """A key that signed access tokens signs nothing that is good any more."""

    kid: str
    until: int | None


@dataclass(frozen=True, slots=True)
class TokenRevoked:
    token_id: str
    until: int | None


@dataclass(frozen=True, slots=True)
class ApiKeyRevoked:
    key_id: str
    until: int | None


@dataclass(frozen=True, slots=True)
class UserRoles:
    """All roles of a person, as of a version."""

    audience: str
    user_id: str
    roles: frozenset[str]
    version: int
    until: int | None


@dataclass(frozen=True, slots=True)
class RoleGives:
    """What a role gives at an audience, as of a version. A retired one counts as held by nobody."""

    audience: str
    role: str
    permissions: frozenset[str]
    retired: bool
    version: int


Fact = SessionEnded | UserEpoch | ClientEpoch | KeyWithdrawn | TokenRevoked | ApiKeyRevoked | UserRoles | RoleGives


def read_fact(told: Object) -> Fact | None:
    """Give the fact, or None for a kind that this version knows nothing of. Raises Malformed."""
    read = _READ.get(text(told, "kind"))
    return None if read is None else read(told)


def _client(told: Object) -> Fact:
    return ClientEpoch(text(told, "id"), None if told.get("epoch") is None else number(told, "epoch"), _until(told))


def _roles(told: Object) -> Fact:
    return UserRoles(text(told, "audience"), text(told, "id"), frozenset(texts(told, "roles")), number(told, "version"), _until(told))


def _role(told: Object) -> Fact:
    given = frozenset(texts(told, "permissions"))
    return RoleGives(text(told, "audience"), text(told, "id"), given, _flag(told, "retired"), number(told, "version"))


_READ: Mapping[str, Callable[[Object], Fact]] = {
    "session": lambda told: SessionEnded(text(told, "id"), _until(told)),
    "user": lambda told: UserEpoch(text(told, "id"), number(told, "epoch"), _until(told)),
    "client": _client,
    "key": lambda told: KeyWithdrawn(text(told, "id"), _until(told)),
    "token": lambda told: TokenRevoked(text(told, "id"), _until(told)),
    "api_key": lambda told: ApiKeyRevoked(text(told, "id"), _until(told)),
    "roles": _roles,
    "role_map": _role,
}


def _until(told: Object) -> int | None:
    return None if told.get("until") is None else number(told, "until")


def _flag(told: Object, name: str) -> bool:
    value = told.get(name, False)
    if not isinstance(value, bool):
        raise Malformed("claims")
    return value


_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def compact(name: str) -> bytes:
    """Give an id as its 16 bytes where it is a UUID in its usual spelling, else as a longer text: a million have to fit in memory."""
    return bytes.fromhex(name.replace("-", "")) if _UUID.fullmatch(name) else name.encode().ljust(17, b"\0")
