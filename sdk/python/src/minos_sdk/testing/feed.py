"""A feed in memory: what a test tells it is known at once."""

import asyncio
from collections.abc import Iterable

import httpx

from minos_sdk import given
from minos_sdk.facts import ApiKeyRevoked, ClientEpoch, Fact, KeyWithdrawn, RoleGives, SessionEnded, TokenRevoked, UserEpoch, UserRoles
from minos_sdk.receiver import Receiver
from minos_sdk.testing.clock import SettableClock

_UNTIL = None


class MemoryFeed:
    """minos_sdk.feeds.feed.Feed. Fresh however far the clock is moved, until `silence()`."""

    def __init__(self, clock: SettableClock) -> None:
        self._clock = clock
        self._receivers: list[Receiver] = []
        self._told: list[Fact] = []
        self._silent = False
        self._versions = 1
        clock.on_advance(self._complete)

    async def run(self, receiver: Receiver, http: httpx.AsyncClient) -> None:  # noqa: ARG002 - one shape for all feeds
        self.attach(receiver)
        await asyncio.Event().wait()

    def attach(self, receiver: Receiver) -> None:
        """Make a receiver ready, with all that was told before."""
        if not any(known is receiver for known in self._receivers):
            self._receivers.append(receiver)
            for fact in self._told:
                receiver.merge(fact)
        self._complete()

    def silence(self) -> None:
        """Stop saying anything: three seconds later verifiers are late, after five they are blind."""
        self._silent = True

    def resume(self) -> None:
        self._silent = False
        for receiver in self._receivers:
            for fact in self._told:
                receiver.merge(fact)
        self._complete()

    def tell(self, fact: Fact) -> None:
        self._told.append(fact)
        if not self._silent:
            for receiver in self._receivers:
                receiver.merge(fact)

    def end_session(self, session_id: str) -> None:
        self.tell(SessionEnded(session_id, _UNTIL))

    def end_user(self, user_id: str, *, epoch: int = 2) -> None:
        """End all of a person's tokens below an epoch: signed out everywhere, suspended, a new password."""
        self.tell(UserEpoch(user_id, epoch, _UNTIL))

    def end_client(self, client_id: str, *, epoch: int | None = None) -> None:
        """End a service account's tokens below an epoch; without one, the client is gone."""
        self.tell(ClientEpoch(client_id, epoch, _UNTIL))

    def withdraw_key(self, kid: str) -> None:
        self.tell(KeyWithdrawn(kid, _UNTIL))

    def revoke_token(self, token_id: str) -> None:
        self.tell(TokenRevoked(token_id, _UNTIL))

    def revoke_api_key(self, key_id: str) -> None:
        self.tell(ApiKeyRevoked(key_id, _UNTIL))

    def set_roles(self, audience: str, user_id: str, roles: Iterable[str]) -> None:
        """Say which roles a person has now: a token in hand keeps only those of its own that are among them."""
        self.tell(UserRoles(audience, user_id, frozenset(given.texts("roles", roles)), self._next_version(), _UNTIL))

    def define_role(self, audience: str, role: str, permissions: Iterable[str], *, retired: bool = False) -> None:
        """Say what a role gives at an audience now."""
        self.tell(RoleGives(audience, role, frozenset(given.texts("permissions", permissions)), retired, self._next_version()))

    def _next_version(self) -> int:
        self._versions += 1
        return self._versions

    def _complete(self) -> None:
        if not self._silent:
            for receiver in self._receivers:
                for name in receiver.classes:
                    receiver.complete(name, self._clock.true_time())
