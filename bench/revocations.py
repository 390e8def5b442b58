"""From the commit of a revocation to the service in another process that refuses: by hint, by the durable way alone, after NATS was away,
and how soon a service that is cut off knows that it is blind."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import asyncpg
import msgspec

from adapters import settings_source
from adapters.embedded_nats import NatsServer
from adapters.hints import APPENDED, Hints
from adapters.nats_client import NatsConnection
from adapters.ports import open_ports
from adapters.secret import Secret
from adapters.settings import Settings
from adapters.signal_sets import SignalSigner
from api.signal_hints import SignalHints
from api.watched_store import WatchedStore
from bench.cut import Cut
from bench.fill import session_events
from bench.machines import told
from bench.running import Running
from bench.scale import Measuring
from bench.subscribed import Subscribed, all_seen, subscribed
from commands.ports import AppendResult, Commit, EventStore, NewEvent, StreamWrite
from domain import codec, session
from domain.ids import CommandId, CorrelationId, EventId, SessionId, UserId
from domain.session_events import EndReason, SessionEvent, SessionRevoked
from domain.session_state import Session

PER_SECOND = 500
AUDIENCE = "bench"
ARRIVED_S = 60.0
AWAY_S = 30.0
"""How long NATS is away, where there is time for it."""
_FLUSH_SECONDS = 0.5


async def measure(folder: Path, measuring: Measuring, **chosen: str) -> None:
    """A whole authority, whose NATS is ours to stop, and a service with the SDK. What measuring takes of the machine is in the figures."""
    nats = NatsServer(folder / "nats")
    await nats.start()
    try:
        running = Running(folder / "up", nats_url=nats.url, nats_credentials=str(nats.credentials), **chosen, **_callout(nats))
        async with running, Cut(nats.url) as cut, _revoker(running, nats) as revoker:
            await told(running, "audiences", "define", AUDIENCE, "bench.read")
            async with subscribed(issuer=running.url, nats=nats.url, **await _service(running, "nats", "minos")) as subscriber:
                await _paces(revoker, subscriber, measuring)
                missed = await _away(revoker, subscriber, nats, measuring)
                measuring.rounds.add(caught_up=missed.caught_up, away_p50=missed.p50, away_p99=missed.p99)
            async with subscribed(issuer=running.url, nats=cut.url, **await _service(running, "nats")) as subscriber:
                measuring.rounds.add(caught_up_alone=(await _away(revoker, subscriber, nats, measuring)).caught_up)
                await _cut_off(subscriber, cut, measuring)
    finally:
        await nats.stop()


def _callout(nats: NatsServer) -> dict[str, str]:
    return {"nats_callout_issuer_file": str(nats.callout_issuer), "nats_callout_xkey_file": str(nats.callout_xkey)}


async def _service(running: Running, *audiences: str) -> dict[str, str]:
    """Make a service account that may read the signals of an audience. Where it has no audience `minos`, NATS is all it hears."""
    rights = [f"minos.signals.{what}" for what in ("access", f"roles.{AUDIENCE}")]
    given = [part for name in audiences for part in ("--audience", name)] + [part for name in rights for part in ("--permission", name)]
    made = await told(running, "service-accounts", "create", "bench", *given)
    return {"client_id": made["client_id"], "secret": made["client_secret"], "audience": AUDIENCE}


async def _paces(revoker: "_Revoker", subscriber: Subscribed, measuring: Measuring) -> None:
    await revoker.revoke(measuring.scale.seconds / 4, hinted=True)
    for _ in range(measuring.scale.rounds):
        measuring.told("revocations")
        for key, hinted in (("revoked", True), ("durable", False)):
            committed = await revoker.revoke(measuring.scale.seconds, hinted=hinted)
            seen = await all_seen(subscriber, committed, ARRIVED_S)
            late = sorted(1000 * (seen[name] - at) for name, at in committed.items())
            measuring.rounds.add(**{f"{key}_p50": late[len(late) // 2], f"{key}_p99": late[len(late) * 99 // 100]})


@dataclass(frozen=True, slots=True)
class _Missed:
    """What was revoked while NATS was away. `p50`, `p99`: seconds to the refusal; `caught_up`: seconds from NATS' return to the last."""

    p50: float
    p99: float
    caught_up: float


async def _away(revoker: "_Revoker", subscriber: Subscribed, nats: NatsServer, measuring: Measuring) -> _Missed:
    measuring.told("revocations without NATS")
    await nats.kill()
    committed = await revoker.revoke(min(AWAY_S, AWAY_S * measuring.scale.seconds / 4), hinted=True)
    await nats.start()
    back_at = time.monotonic()
    seen = await all_seen(subscriber, committed, ARRIVED_S)
    late = sorted(seen[name] - at for name, at in committed.items())
    return _Missed(late[len(late) // 2], late[len(late) * 99 // 100], max(0.0, max(seen.values()) - back_at))


async def _cut_off(subscriber: Subscribed, cut: Cut, measuring: Measuring) -> None:
    """Nothing comes through any more, and nobody says so: no connection is closed."""
    await subscriber.ask("sighted")
    for _ in range(measuring.scale.rounds):
        measuring.told("revocations cut off")
        cut.silence()
        at = time.monotonic()
        measuring.rounds.add(blind=await subscriber.ask("blind") - at)
        cut.resume()
        await subscriber.ask("sighted")


@dataclass
class _Revoker:
    """Appends as the API does: `told` hears of a commit when it has happened."""

    store: EventStore
    hints: Hints
    signals: SignalHints
    hinted: bool = True

    def appended(self, commit: Commit) -> None:
        if self.hinted:
            self.signals.tell(commit)
        self.hints.send()

    async def revoke(self, seconds: float, *, hinted: bool) -> dict[str, float]:
        """Begin sessions, then end PER_SECOND of them for so long. Gives when each end was committed."""
        sessions = [_OneSession() for _ in range(max(1, int(PER_SECOND * seconds)))]
        self.hinted = False
        for low in range(0, len(sessions), 128):
            await asyncio.gather(*(self._append(each.begin()) for each in sessions[low : low + 128]))
        await asyncio.sleep(_FLUSH_SECONDS)
        self.hinted = hinted
        committed: dict[str, float] = {}

        async def end(one: "_OneSession") -> None:
            await self._append(one.end())
            committed[str(one.session_id)] = time.monotonic()

        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for number, each in enumerate(sessions):
                if (ahead := began + number / PER_SECOND - time.monotonic()) > 0:
                    await asyncio.sleep(ahead)
                group.create_task(end(each))
        return committed

    async def _append(self, commit: Commit) -> None:
        answer = await self.store.append(commit)
        if answer.result is not AppendResult.DONE:
            raise AssertionError(f"the session is ours alone, yet {answer.result}")


class _OneSession:
    """A session of nobody, from its beginning to its end."""

    def __init__(self) -> None:
        self.session_id, self._user_id = SessionId(uuid4()), UserId(uuid4())
        self._state: Session = session.decider.initial
        self._version = 0

    def begin(self) -> Commit:
        return self._commit([*session_events(self.session_id, self._user_id, 2)])

    def end(self) -> Commit:
        reason = EndReason.ADMIN_TARGETED
        return self._commit([SessionRevoked(session_id=self.session_id, user_id=self._user_id, reason=reason, at=datetime.now(UTC))])

    def _commit(self, events: Sequence[SessionEvent]) -> Commit:
        of, command = session.decider, uuid4()
        self._state = of.fold(events, self._state)
        new = [NewEvent(event_id=EventId(uuid4()), type=codec.tag_of(e), payload=codec.encode_event(e), key_id=None) for e in events]
        write = StreamWrite(
            stream=session.stream(self.session_id), expected=self._version, events=tuple(new), state=codec.encode_state(self._state),
            state_version=of.state_version,
        )  # fmt: skip
        self._version += len(events)
        return Commit(
            command_id=CommandId(command), actor="system:bench", session_id=None, correlation_id=CorrelationId(command), causation_id=None,
            writes=(write,),
        )  # fmt: skip


@asynccontextmanager
async def _revoker(running: Running, nats: NatsServer) -> AsyncGenerator[_Revoker]:
    settings = _settings(running)
    connection = NatsConnection(nats.url, credentials=nats.credentials, name="bench")
    await connection.connect()
    url = settings.database_url
    if url is None:
        raise RuntimeError("the authority has no database")
    async with open_ports(settings) as opened, asyncpg.create_pool(url.reveal(), min_size=1, max_size=1) as pool:
        signals = SignalHints(connection.client, SignalSigner(opened.signals_keyring, settings.issuer), pool)
        keeping = asyncio.create_task(signals.run())
        revoker = _Revoker(opened.store, Hints(connection.client, APPENDED), signals)
        revoker.store = WatchedStore(opened.store, revoker.appended)
        try:
            yield revoker
        finally:
            keeping.cancel()
            await signals.close()
            await revoker.hints.close()
            await connection.close()


def _settings(running: Running) -> Settings:
    """What the authority was given, and the database it made."""
    loaded = settings_source.load(running.environment, running.folder).settings
    return msgspec.structs.replace(loaded, database_url=Secret(running.database_url))
