"""A wire to a server that can go silent: nothing comes through any more, and no connection is closed. As a broken network does it."""

import asyncio
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit

_MOST_BYTES = 65_536


class Cut:
    """Passes bytes between a port of its own and the server's. For one event loop."""

    def __init__(self, server_url: str) -> None:
        self._server = urlsplit(server_url)
        self._through = asyncio.Event()
        self._through.set()
        self._listener: asyncio.Server | None = None
        self._passing: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._listener = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._listener is not None:
            self._listener.close()
        for writer in self._writers:
            writer.close()
        for task in self._passing:
            task.cancel()
        await asyncio.gather(*self._passing, return_exceptions=True)

    @property
    def url(self) -> str:
        if self._listener is None:
            raise RuntimeError("the wire is not open")
        return f"{self._server.scheme}://127.0.0.1:{self._listener.sockets[0].getsockname()[1]}"

    def silence(self) -> None:
        self._through.clear()

    def resume(self) -> None:
        self._through.set()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connecting = asyncio.current_task()
        if connecting is not None:
            self._passing.add(connecting)
            connecting.add_done_callback(self._passing.discard)
        self._writers.add(writer)
        await self._through.wait()
        try:
            server_reader, server_writer = await asyncio.open_connection(self._server.hostname, self._server.port)
        except OSError:
            writer.close()
            return
        self._writers.add(server_writer)
        for source, target in ((reader, server_writer), (server_reader, writer)):
            task = asyncio.create_task(self._pass_on(source, target))
            self._passing.add(task)
            task.add_done_callback(self._passing.discard)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(_MOST_BYTES):
                await self._through.wait()
                writer.write(data)
                await writer.drain()
        writer.close()
