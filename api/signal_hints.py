"""What was committed just now, told to services at once: the same signed facts that come the durable way a few milliseconds later.

Sent after the commit and never before, so no service ever refuses what then did not happen. Nobody waits for it, nothing that goes wrong
with it is anybody's error, and whoever missed it has the durable way (docs/explanation/signals.md).
"""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime

import asyncpg
import structlog
from msgspec import Struct
from nats.aio.client import Client
from nats.errors import Error as NatsError

from adapters.postgres import AWAY
from adapters.signal_sets import SignalSigner
from adapters.signal_stream import HINT
from commands.ports import Commit, StreamWrite
from domain import client, codec, user
from domain.client import Client as ServiceAccount
from domain.errors import StoreUnavailable
from domain.ids import AudienceName, ClientId, EventId, UserId
from domain.signals.changes import TAGS, AudienceRedefined, Change, RoleRedefined, changes
from domain.signals.facts import subject_of
from domain.signals.lives import LONGEST_ACCESS
from domain.signals.telling import Known, needs, tell
from domain.user import User
from projections.sql import beside

MOST_AT_ONCE = 256
"""Commits being told of; what comes while there are so many is left to the durable way."""
SIGNED_AT_ONCE = 16
"""Then requests have their turn: a grant is a signature of some 30 us for each audience."""
FRESH_SECONDS = 10.0
CLOSE_SECONDS = 1.0

_SQL = beside(__file__)
log = structlog.stdlib.get_logger()


class _Told(Struct, frozen=True):
    """Whom roles are told to, and for how long a fact has to be remembered."""

    life: int = LONGEST_ACCESS
    audiences: frozenset[AudienceName] = frozenset()


class _Happened(Struct, frozen=True):
    event_id: EventId
    at: datetime
    change: Change


class SignalHints:
    """For one event loop. `tell` is quick and never raises."""

    def __init__(self, nats: Client, signer: SignalSigner, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._nats = nats
        self._signer = signer
        self._pool = pool
        self._told = _Told()
        self._telling: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Keep what has to be known up to date, until cancelled."""
        while True:
            with suppress(asyncpg.PostgresError, *AWAY):
                life, audiences = await self._pool.fetchrow(_SQL["told"]) or (0, ())
                self._told = _Told(life or LONGEST_ACCESS, frozenset(AudienceName(name) for name in audiences))
            await asyncio.sleep(FRESH_SECONDS)

    def tell(self, commit: Commit) -> None:
        """Send what a commit changes for services, soon. Of most commits that is nothing, which is known by their events' tags."""
        if not any(event.type in TAGS for write in commit.writes for event in write.events):
            return
        if len(self._telling) >= MOST_AT_ONCE or not self._nats.is_connected:
            return
        task = asyncio.get_running_loop().create_task(self._send(commit))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def close(self) -> None:
        """Drop what is not sent yet."""
        for task in self._telling:
            task.cancel()
        if self._telling:
            await asyncio.wait(self._telling, timeout=CLOSE_SECONDS)

    async def _send(self, commit: Commit) -> None:
        try:
            await self._publish(commit)
        except (StoreUnavailable, NatsError, OSError) as error:
            log.debug("signal_hint_lost", error_type=type(error).__name__)
        except Exception:  # the edge: what was committed is committed, and the durable way tells of it
            log.exception("signal_hint_failed")

    async def _publish(self, commit: Commit) -> None:
        told = self._told
        known = Known(users=_users(commit.writes), clients=_clients(commit.writes), told=told.audiences)
        for each in _happened(commit.writes):
            if not _is_told(each.change, known):
                continue
            for number, signal in enumerate(tell(each.change, known, at=each.at, life=told.life, version=0), 1):
                if number % SIGNED_AT_ONCE == 0:
                    await asyncio.sleep(0)
                body = self._signer.body(signal, event_id=each.event_id, txn=commit.correlation_id)
                await self._nats.publish(HINT + subject_of(signal.fact), (await self._signer.sign(body)).encode())


def _happened(writes: Iterable[StreamWrite]) -> Iterator[_Happened]:
    for new in (event for write in writes for event in write.events if event.type in TAGS):
        event = codec.decode_event(new.type, new.payload)
        for change in changes(event):
            yield _Happened(new.event_id, event.at, change)


def _is_told(change: Change, known: Known) -> bool:
    """Tell whether the commit itself says all that is to be known. What roles give is read anew and comes the durable way alone."""
    if isinstance(change, RoleRedefined | AudienceRedefined):
        return False
    wanted = needs([change])
    return wanted.users <= known.users.keys() and wanted.clients <= known.clients.keys()


def _users(writes: Iterable[StreamWrite]) -> dict[UserId, User]:
    states = (codec.decode_state(user.decider, write.state) for write in writes if write.events and write.stream.startswith("user-"))
    return {_user_id(state): state for state in states if not isinstance(state, user.Absent)}


def _user_id(state: user.Active | user.Suspended | user.Deleted | user.Gone | user.Erased) -> UserId:
    return state.user_id if isinstance(state, user.Erased) else state.account.user_id


def _clients(writes: Iterable[StreamWrite]) -> dict[ClientId, ServiceAccount]:
    states = (codec.decode_state(client.decider, write.state) for write in writes if write.events and write.stream.startswith("client-"))
    return {state.client_id: state for state in states if not isinstance(state, client.Absent)}
