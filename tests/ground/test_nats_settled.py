"""Who waits for a subscription to hold waits until the server has read it."""

import asyncio
import json

from adapters.nats_client import NatsConnection, settled


async def test_what_was_asked_before_has_reached_the_server() -> None:
    told: list[bytes] = []

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        info = {"server_id": "x", "version": "2.12.0", "proto": 1, "max_payload": 1 << 20, "headers": True}
        writer.write(b"INFO " + json.dumps(info).encode() + b"\r\n")
        while line := await reader.readline():
            told.append(line.split()[0])
            if told[-1] == b"PING":
                writer.write(b"PONG\r\n")
        writer.close()

    server = await asyncio.start_server(note, "127.0.0.1", 0)
    connection = NatsConnection(f"nats://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    await connection.connect()
    await connection.client.subscribe("minos.test")
    await settled(connection.client)
    assert told == [b"CONNECT", b"PING", b"SUB", b"PING"]
    await connection.close()
    server.close()
    await server.wait_closed()
