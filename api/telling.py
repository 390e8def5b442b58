"""What tells signals over HTTP, opened with the world and closed with it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass

from adapters.signal_rows import SignalRows
from adapters.signal_sets import Signing
from api.open_streams import OpenStreams
from api.signal_hub import SignalHub
from api.snapshots import Snapshots


@dataclass(frozen=True, slots=True)
class Telling:
    hub: SignalHub
    snapshots: Snapshots
    streams: OpenStreams


@asynccontextmanager
async def open_telling(url: str, keys: Signing, *, issuer: str, leaving: asyncio.Event) -> AsyncGenerator[Telling]:
    """Connections are made when somebody first asks."""
    async with aclosing(SignalRows(url)) as rows, aclosing(SignalHub(rows, keys, issuer=issuer, leaving=leaving)) as hub:
        yield Telling(hub=hub, snapshots=Snapshots(rows, keys, issuer=issuer), streams=OpenStreams())
