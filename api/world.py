"""Everything a handler may touch, opened once per process by the composition root."""

import asyncio
from dataclasses import dataclass

import asyncpg

from adapters.access_tokens import AccessTokenVerifier
from adapters.event_feed import EventFeed
from adapters.keyring import Keyring
from adapters.limits.exchanger import Exchanger
from adapters.opaque_tokens import Cursors, StreamVersions
from adapters.quorum import Quorum
from adapters.settings import Settings
from adapters.tree_store import TreeStore
from api.limiter import Limiter
from api.replays import Replays
from api.telling import Telling
from api.waiting import Waiting
from commands.ports import Ports
from projections.reading import ReadModels


@dataclass(frozen=True, slots=True)
class World:
    settings: Settings
    ports: Ports
    tokens: AccessTokenVerifier
    keyring: Keyring
    signals_keyring: Keyring
    internal_keyring: Keyring
    versions: StreamVersions
    cursors: Cursors
    models: ReadModels
    pool: "asyncpg.Pool[asyncpg.Record]"
    feed: EventFeed
    telling: Telling
    replays: Replays
    tree: TreeStore
    quorum: Quorum
    leaving: asyncio.Event
    """Set once this process is to stop: what goes on for long ends then."""
    waiting: Waiting
    limiter: Limiter
    exchanger: Exchanger
    own_audience: frozenset[str]
