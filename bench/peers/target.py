"""What every server that is measured has, ours and the others'."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, Self

from msgspec import Struct

from adapters.embedded_postgres import PostgresServer
from bench.peers.cores import Cores

OPERATIONS: Mapping[str, str] = {
    "session": "authenticated read",
    "refresh": "refresh with rotation",
    "client_token": "token by client credentials",
    "introspection": "introspection",
    "jwks": "public keys",
    "sign_in": "sign-in with a password",
    "register": "registration",
}
"""In the order they are measured in: what fills tables comes last."""
SLOW = ("sign_in", "register")
"""What hashes a password, and is therefore asked for by few at a time."""
PEER = "peer"
_KEPT = ("PATH", "HOME", "LANG", "TMPDIR")


class Work(Struct, frozen=True, kw_only=True):
    """An operation as the load driver takes it: a request for each connection, and what every answer must hold."""

    requests: list[str]
    tokens: list[str] = []
    holds: list[str]


class Hashed(Struct, frozen=True, kw_only=True):
    """What checking one password takes of a processor with nothing around it, in milliseconds."""

    kind: str
    verify_ms: float


class Place(Struct, frozen=True, kw_only=True):
    """Where a target runs: `folder` is its own for this round, `installed` has the peers' programs."""

    folder: Path
    installed: Path
    cores: Cores
    postgres: PostgresServer
    database_password: str
    """Of the role PEER, which owns the databases of the others."""


class Target(Protocol):
    """A server in a fresh database, started by `async with` and stopped at its end."""

    @property
    def port(self) -> int: ...
    @property
    def start_s(self) -> float: ...

    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, *_: object) -> None: ...

    def parts(self) -> Mapping[str, Sequence[int]]:
        """Give the processes on the server's core by what they do."""
        ...

    async def prepare(self, people: int) -> None:
        """Make so many people, signed in, and whatever else the operations need."""
        ...

    def work(self, operation: str, connections: int) -> Work: ...

    async def bare_hash(self, times: int) -> Hashed | None:
        """Measure on the server's core, before anything else runs; None where no password is checked."""
        ...


def environment(**given: str) -> dict[str, str]:
    """Give what a server sees of ours, and what it is given."""
    return {name: os.environ[name] for name in _KEPT if name in os.environ} | given
