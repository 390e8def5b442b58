"""Waiting for an identity to be taken back: what a WebSocket or a stream needs, which is asked once and open for hours."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager

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
from minos_sdk.receiver import Receiver
from minos_sdk.revocations import Ties, ties_of_identity


class Watch:
    """Set once what an identity hangs on was taken back, and never unset."""

    def __init__(self) -> None:
        self.reason: str | None = None
        self._over = asyncio.Event()

    def is_set(self) -> bool:
        return self._over.is_set()

    async def wait(self) -> str:
        """Wait until it is taken back; a word for what was."""
        await self._over.wait()
        return self.reason or ""

    def end(self, reason: str) -> None:
        self.reason = reason
        self._over.set()


class Watches:
    """All that is watched: a fact finds those it may end without looking at the others."""

    def __init__(self, receiver: Receiver) -> None:
        self._revocations = receiver.revocations
        self._by_tie: dict[tuple[str, bytes | str], dict[Watch, Ties]] = {}
        receiver.on_fact(self._look)

    def __len__(self) -> int:
        return len({watch for watches in self._by_tie.values() for watch in watches})

    @contextmanager
    def watching(self, identity: Identity) -> Generator[Watch]:
        watch, ties = Watch(), ties_of_identity(identity)
        keys = _keys(ties)
        if identity.principal == "api_key" and identity.user_id is not None:
            keys.add(("user", compact(identity.user_id)))
        for each in keys:
            self._by_tie.setdefault(each, {})[watch] = ties
        self._judge(watch, ties)
        try:
            yield watch
        finally:
            for each in keys:
                del self._by_tie[each][watch]
                if not self._by_tie[each]:
                    del self._by_tie[each]

    def _look(self, fact: Fact) -> None:
        """What an API key hangs on is known to the issuer alone: any news of its owner ends what was opened with it."""
        kind, _ = key = _key(fact)
        for watch, ties in tuple(self._by_tie.get(key, {}).items()):
            if ties.api_key is not None:
                watch.end(kind)
            else:
                self._judge(watch, ties)

    def _judge(self, watch: Watch, ties: Ties) -> None:
        if (reason := self._revocations.refusal(ties)) is not None:
            watch.end(reason)


def _keys(ties: Ties) -> set[tuple[str, bytes | str]]:
    named = (
        ("session", ties.session), ("user", ties.user), ("client", ties.client), ("client", ties.service),
        ("key", ties.kid), ("token", ties.token), ("api_key", ties.api_key),
    )  # fmt: skip
    return {(kind, tie) for kind, tie in named if tie is not None}


def _key(fact: Fact) -> tuple[str, bytes | str]:
    match fact:
        case SessionEnded():
            return "session", compact(fact.session_id)
        case UserEpoch():
            return "user", compact(fact.user_id)
        case ClientEpoch():
            return "client", fact.client_id
        case KeyWithdrawn():
            return "key", fact.kid
        case TokenRevoked():
            return "token", compact(fact.token_id)
        case ApiKeyRevoked():
            return "api_key", compact(fact.key_id)
        case UserRoles() | RoleGives():
            return "roles", ""
