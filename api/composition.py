"""Opens the world from the settings and closes it in the end."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import TypeAlias

import asyncpg

from adapters import log_policy, postgres_connect
from adapters.event_feed import EventFeed
from adapters.hints import Hints
from adapters.limits.counters import Counters
from adapters.limits.exchanger import Exchanger, Totals
from adapters.limits.policy import Limits
from adapters.ports import NoDatabase, Opened, open_ports
from adapters.postgres_links import Links
from adapters.quorum import Quorum
from adapters.settings import Settings
from adapters.telemetry.spans import Spans
from adapters.tree_store import TreeStore
from api.erased_again import erase_again
from api.life_noted import note_life
from api.limiter import Limiter
from api.metrics import LIMITS_SHARED, HashFigures, StoreFigures, count_events
from api.nats_links import answering_servers, connected, ended, forgetting_keys, telling_services, waking_workers
from api.open_sessions import ListedSessions
from api.replays import open_replays
from api.signal_hints import SignalHints
from api.telling import open_telling
from api.traced_ports import HashSpans, traced
from api.waiting import Waiting
from api.watched_store import WatchedStore
from api.world import World
from commands.ports import Commit, Ports
from domain import codec
from domain.session import MINOS
from domain.session_events import SessionStarted, TokenIssued
from projections.reading import ReadModels

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

READERS = 8
"""Connections for lists; what they ask is answered in milliseconds, and a process has one event loop."""
READ_SECONDS = 5.0
TREE_LINKS = 2
UNHURRIED = frozenset({codec.tag_of(kind) for kind in (SessionStarted, TokenIssued)})
"""What nobody waits for: it reaches the read models and NATS together with what else comes in the next moment (docs/adr, 19)."""


@asynccontextmanager
async def open_world(settings: Settings, limits: Limits, spans: Spans | None = None, *, leaving: asyncio.Event) -> AsyncGenerator[World]:
    """Raises what kept it from opening; try again later. Without `spans` nothing of a trace is in anybody's way."""
    url = _database_url(settings)
    async with (
        connected(settings) as nats,
        open_ports(settings, store_metrics=StoreFigures(), hash_metrics=_hash_figures(spans)) as opened,
        _readers(url) as pool,
    ):
        await erase_again(settings, opened)
        await note_life(pool, settings.access_token_ttl)
        await opened.keyring.refresh()
        await opened.hasher.start()
        counters, models = Counters(), ReadModels(pool)
        async with (
            aclosing(EventFeed(url, leaving)) as feed,
            open_telling(url, opened.signals_keyring, issuer=settings.issuer, leaving=leaving) as telling,
            open_replays(url) as replays,
            _reading_tree(url) as tree,
            _exchanging(counters, opened.totals) as exchanger,
            answering_servers(settings, opened, models),
            waking_workers(nats) as hints,
            forgetting_keys(nats, opened.vault.forget_all),
            telling_services(settings, nats, opened, pool) as signals,
        ):
            yield World(
                settings=settings,
                ports=replace(_ports(opened, _watcher(hints, signals), spans), open_sessions=ListedSessions(models)),
                tokens=opened.tokens,
                keyring=opened.keyring,
                signals_keyring=opened.signals_keyring,
                internal_keyring=opened.internal_keyring,
                versions=opened.versions,
                cursors=opened.cursors,
                models=models,
                pool=pool,
                feed=feed,
                telling=telling,
                replays=replays,
                tree=tree,
                quorum=Quorum(tree, log_policy.load(settings.log_policy)),
                leaving=leaving,
                waiting=Waiting(_nobody_to_tell if hints is None else hints.send),
                limiter=Limiter(limits, counters),
                exchanger=exchanger,
                own_audience=frozenset({MINOS}),
            )


def _database_url(settings: Settings) -> str:
    if settings.database_url is None:
        raise NoDatabase("set MINOS_DATABASE_URL")
    return settings.database_url.reveal()


def _hash_figures(spans: Spans | None) -> HashFigures | HashSpans:
    return HashFigures() if spans is None else HashSpans(HashFigures())


def _readers(url: str) -> Pool:
    return postgres_connect.pool(url, size=READERS, timeout=READ_SECONDS, command_timeout=READ_SECONDS, reset=_nothing_to_reset)


@asynccontextmanager
async def _reading_tree(url: str) -> AsyncGenerator[TreeStore]:
    links = Links(url, size=TREE_LINKS)
    try:
        yield TreeStore(links)
    finally:
        await links.close()


@asynccontextmanager
async def _exchanging(counters: Counters, totals: Totals) -> AsyncGenerator[Exchanger]:
    """Tell the other processes what was let in, and learn it of them, for as long as the block runs."""
    LIMITS_SHARED.set(1)
    exchanger = Exchanger(counters, totals, observe=LIMITS_SHARED.set)
    running = asyncio.create_task(exchanger.run(), name="limits")
    try:
        yield exchanger
    finally:
        await ended(running)
        await exchanger.step()  # the last of it: who restarts us is not to get full buckets for it


async def _nothing_to_reset(_: object) -> None:
    """Readers set nothing on their connection; asyncpg's own reset would cost every query a round trip more."""


def _ports(opened: Opened, appended: Callable[[Commit], None], spans: Spans | None) -> Ports:
    watched = replace(opened.ports, store=WatchedStore(opened.store, appended))
    return watched if spans is None else traced(watched, spans)


def _watcher(hints: Hints | None, signals: SignalHints | None) -> Callable[[Commit], None]:
    def appended(commit: Commit) -> None:
        count_events(commit)
        if signals is not None:
            signals.tell(commit)
        if hints is not None:
            (hints.gather if _unhurried(commit) else hints.send)()

    return appended


def _unhurried(commit: Commit) -> bool:
    """Sign-ins and refreshes, which are nearly all there is, take nothing away from a token that is out there."""
    return all(event.type in UNHURRIED for write in commit.writes for event in write.events)


def _nobody_to_tell() -> None:
    pass
