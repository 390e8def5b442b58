"""A wire to a real PostgreSQL that can be cut before a request arrives, or before its answer does."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Literal

Cut = Literal["request lost", "answer lost"]


class Wire:
    """Passes bytes between a socket of its own and the server's. After `cut`, the next bytes of that direction end it all."""

    def __init__(self, server_url: str, folder: Path) -> None:
        before, _, host = server_url.partition("?host=")
        self._server = Path(host) / ".s.PGSQL.5432"
        self._folder = folder
        self.url = f"{before}?host={folder}"
        self._cut: Cut | None = None
        self._listener: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def open(self) -> None:
        self._listener = await asyncio.start_unix_server(self._connected, self._folder / ".s.PGSQL.5432")

    async def close(self) -> None:
        if self._listener is not None:
            self._listener.close()
        self._drop()

    def cut(self, what: Cut) -> None:
        self._cut = what

    def _drop(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_unix_connection(self._server)
        self._writers |= {writer, server_writer}
        await asyncio.gather(self._pass_on(reader, server_writer, "request lost"), self._pass_on(server_reader, writer, "answer lost"))

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, lost: Cut) -> None:
        with suppress(OSError):
            while data := await reader.read(65_536):
                if self._cut == lost:
                    self._cut = None
                    self._drop()
                    return
                writer.write(data)
                await writer.drain()
        writer.close()
