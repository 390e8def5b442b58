"""Ways into NATS: by an access token, which NATS asks Minos about, or as a user of its configuration."""

import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

import httpx

from minos_sdk import given
from minos_sdk.claims import number, text
from minos_sdk.errors import MinosError
from minos_sdk.jws import Object, read, read_object
from minos_sdk.ports import TokenSource, was_refused

_LONGEST_S = 300.0
"""So long NATS keeps a connection that Minos let in, also where its token lives for longer."""


@dataclass(frozen=True, slots=True)
class Entry:
    """How to get in. `name`: whose inboxes these are; `lasts`: seconds from now, or None for no end."""

    name: str
    token: str | None = field(default=None, repr=False)
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    lasts: float | None = None


class Login(Protocol):
    async def entry(self) -> Entry: ...


@dataclass(frozen=True, slots=True)
class TokenLogin:
    """By an access token of a service account: NATS asks Minos about it, and cuts the connection when it ends."""

    source: TokenSource

    async def entry(self) -> Entry:
        token = await self.source.token("nats")
        said = _unverified(token)
        begun, ends = number(said, "iat"), number(said, "exp")
        return Entry(name=text(said, "client_id"), token=token, lasts=min(_left(begun, ends, time.time()), _LONGEST_S))

    async def renew(self) -> None:
        """Have the next entry be by another token, where that can be had."""
        with suppress(MinosError, OSError, httpx.HTTPError):
            await was_refused(self.source, "nats", await self.source.token("nats"))


@dataclass(frozen=True, slots=True)
class StaticLogin:
    """By a user that the server's configuration names: for installations without the authoriser."""

    user: str
    password: str = field(repr=False)

    def __post_init__(self) -> None:
        given.text("user", self.user, "the name of a user of NATS")
        given.text("password", self.password)

    async def entry(self) -> Entry:
        return Entry(name=self.user, user=self.user, password=self.password)


def _left(begun: int, ends: int, now: float) -> float:
    """Seconds that are left of a token's life: a fifth, which a source leaves at the least, where the clock here cannot be right."""
    return ends - now if begun <= now < ends else (ends - begun) / 5


def _unverified(token: str) -> Object:
    """What a token of our own says: only to know what it is called and when to get another. Raises Malformed."""
    return read_object(read(token, longest=len(token)).body)
