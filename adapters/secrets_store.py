"""The service's own keys, one line of versions per purpose: random, wrapped by the master key, never derived from it.

So the master key can change without any token, claim or cursor changing (threats.md 11).
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from adapters.postgres import Connection
from adapters.postgres_links import Links
from adapters.postgres_sql import statements
from adapters.wrapping import Wrapped, Wrapping

SQL = statements(Path(__file__).with_suffix(".sql"))
KEY_BYTES = 64
"""One block of SHA-256 for HMAC, and the two 256-bit halves that AES-SIV takes (RFC 5297)."""
SETTLED_S = 60
"""A new version is used for making only once it is this old, when every process has it for checking."""


class Purpose(StrEnum):
    REFRESH = "refresh"
    DEVICE_TOKEN = "device_token"  # noqa: S105 - the name of a purpose
    CLAIM_INDEX = "claim_index"
    LOGIN_NAME = "login_name"
    DEVICE = "device"
    IDEMPOTENCY = "idempotency"
    BODY_DIGEST = "body_digest"
    SHOWN_SECRET = "shown_secret"  # noqa: S105 - the name of a purpose
    STREAM_VERSION = "stream_version"
    CURSOR = "cursor"
    SIGN_IN_FACT = "sign_in_fact"
    ACTION_TOKEN = "action_token"  # noqa: S105 - the name of a purpose
    MAIL_TOKEN = "mail_token"  # noqa: S105 - the name of a purpose
    MAIL_ADDRESS = "mail_address"
    MAIL_BUDGET = "mail_budget"
    CLIENT_SECRET = "client_secret"  # noqa: S105 - the name of a purpose
    API_KEY = "api_key"
    RATE_LIMIT = "rate_limit"
    SIGN_IN_CHALLENGE = "sign_in_challenge"
    RECOVERY_CODE = "recovery_code"
    MAIL_CODE = "mail_code"
    WEBAUTHN = "webauthn"


@dataclass(frozen=True, slots=True)
class KeyVersions:
    """The keys of one purpose. `current` is the version to make new things with; all of them check old things."""

    current: int
    keys: Mapping[int, bytes] = field(repr=False)

    @property
    def key(self) -> bytes:
        return self.keys[self.current]


class Secrets:
    """Keys by purpose, in memory. Raises KeyError for a purpose that was not opened."""

    def __init__(self, versions: Mapping[Purpose, KeyVersions]) -> None:
        self._versions = dict(versions)

    def __repr__(self) -> str:
        return f"Secrets({', '.join(self._versions)})"

    def of(self, purpose: Purpose) -> KeyVersions:
        return self._versions[purpose]

    def replace(self, versions: Mapping[Purpose, KeyVersions]) -> None:
        self._versions = dict(versions)


def random_secrets(purposes: Iterable[Purpose] = Purpose) -> Secrets:
    """Make keys that are kept nowhere: for a process that is its own whole world, such as a test."""
    return Secrets({purpose: KeyVersions(1, {1: os.urandom(KEY_BYTES)}) for purpose in purposes})


class SecretsStore:
    """Keys in `vault.secrets`. Two processes that open an empty store at once end with the same keys."""

    def __init__(self, links: Links, wrapping: Wrapping) -> None:
        self._links = links
        self._wrapping = wrapping
        self.secrets = Secrets({})

    async def open(self) -> Secrets:
        """Read every key, making what is missing. Raises StoreUnavailable, CannotUnwrap."""
        rows = await self._read()
        missing = [purpose for purpose in Purpose if purpose not in {row[0] for row in rows}]
        if missing:
            await self._add([(purpose, 1) for purpose in missing])
            rows = await self._read()
        self._take(rows)
        return self.secrets

    async def refresh(self) -> None:
        """Read again, so that versions made elsewhere are known before anybody uses them."""
        self._take(await self._read())

    async def rotate(self, purpose: Purpose) -> int:
        """Add a version, to be used from SETTLED_S on; gives its number. Old ones go on checking."""
        version = max(self.secrets.of(purpose).keys) + 1
        await self._add([(purpose, version)])
        await self.refresh()
        return version

    async def _add(self, wanted: Sequence[tuple[Purpose, int]]) -> None:
        wrapped = [self._wrapping.wrap(name_of(purpose, version), os.urandom(KEY_BYTES)) for purpose, version in wanted]
        await self._links.read(
            SQL["add"],
            [str(purpose) for purpose, _ in wanted],
            [version for _, version in wanted],
            [w.box for w in wrapped],
            [w.kek_id for w in wrapped],
        )

    async def _read(self) -> Sequence[tuple[Purpose, int, Wrapped, float]]:
        rows = await self._links.read(SQL["read_all"])
        known = frozenset(Purpose)
        return [(Purpose(r[0]), r[1], Wrapped(r[2], r[3]), r[4]) for r in rows if r[0] in known]

    def _take(self, rows: Sequence[tuple[Purpose, int, Wrapped, float]]) -> None:
        keys: dict[Purpose, dict[int, bytes]] = {}
        current: dict[Purpose, int] = {}
        for purpose, version, wrapped, age in rows:  # versions rise
            keys.setdefault(purpose, {})[version] = self._wrapping.unwrap(name_of(purpose, version), wrapped)
            if age >= SETTLED_S or purpose not in current:
                current[purpose] = version
        self.secrets.replace({purpose: KeyVersions(current[purpose], keys[purpose]) for purpose in keys})


async def has_keys(connection: Connection) -> bool:
    """Tell whether the database holds keys already, which some master key wrapped."""
    return bool(await connection.fetchval(SQL["has_keys"]))


def name_of(purpose: Purpose, version: int) -> str:
    return f"secret/{purpose}/{version}"
