"""Who is compared, in the order of the tables."""

from collections.abc import Sequence

from msgspec import Struct

from bench.peers.better_auth import BetterAuth
from bench.peers.better_auth_oauth import BetterAuthOAuth
from bench.peers.fastapi_users import FastapiUsers, FastapiUsersDatabase
from bench.peers.minos import Minos
from bench.peers.oidc_provider import OidcProvider
from bench.peers.target import OPERATIONS, Place, Target


class Kind(Struct, frozen=True, kw_only=True):
    """One of the servers."""

    name: str
    title: str
    persists: bool
    """What it answered survives its end."""
    operations: Sequence[str]
    begin: type[Minos | BetterAuth | FastapiUsers | OidcProvider]
    needs: str | None = None
    """The program without which it cannot be installed."""

    @property
    def installed_as(self) -> str | None:
        return None if self.begin is Minos else getattr(self.begin, "folder", None)


OURS, MEMORY, STORE = "minos", "oidc-provider", "eventsourcing"
KINDS = (
    Kind(name=OURS, title="Minos", persists=True, operations=tuple(OPERATIONS), begin=Minos),
    Kind(
        name="better-auth", title="better-auth", persists=True, begin=BetterAuth, needs="npm",
        operations=("session", "jwks", "sign_in", "register"),
    ),
    Kind(
        name="better-auth-oauth", title="better-auth as an OAuth provider", persists=True, begin=BetterAuthOAuth, needs="npm",
        operations=("session", "refresh", "client_token", "introspection"),
    ),
    Kind(
        name="fastapi-users-jwt", title="fastapi-users (JWT)", persists=True, begin=FastapiUsers,
        operations=("session", "sign_in", "register"),
    ),
    Kind(
        name="fastapi-users-database", title="fastapi-users (database)", persists=True, begin=FastapiUsersDatabase,
        operations=("session", "sign_in"),
    ),
    Kind(
        name=MEMORY, title="oidc-provider in memory", persists=False, begin=OidcProvider, needs="npm",
        operations=("session", "refresh", "client_token", "introspection", "jwks"),
    ),
)  # fmt: skip
TARGETS = (*(kind.name for kind in KINDS), STORE)


class UnknownName(Exception):
    """There is no such target or operation. The message is for whoever called."""


class Chosen(Struct, frozen=True, kw_only=True):
    """What a run measures."""

    targets: Sequence[str]
    operations: Sequence[str]

    @property
    def kinds(self) -> Sequence[Kind]:
        return [kind for kind in KINDS if kind.name in self.targets]

    @property
    def is_all(self) -> bool:
        return len(self.targets) == len(TARGETS) and len(self.operations) == len(OPERATIONS)

    def of(self, kind: Kind) -> Sequence[str]:
        return [operation for operation in OPERATIONS if operation in kind.operations and operation in self.operations]


def chosen(only: str | None) -> Chosen:
    """Take names of targets and operations apart; where none of either is named, all of them are meant. Raises UnknownName."""
    names = [name.strip() for name in (only or "").split(",") if name.strip()]
    if unknown := [name for name in names if name not in TARGETS and name not in OPERATIONS]:
        raise UnknownName(f"there is no {', '.join(unknown)}; there are {', '.join(TARGETS)} and {', '.join(OPERATIONS)}")
    targets = [name for name in TARGETS if name in names] or TARGETS
    return Chosen(targets=targets, operations=[name for name in OPERATIONS if name in names] or tuple(OPERATIONS))


def begun(kind: Kind, place: Place) -> Target:
    return kind.begin(place)
