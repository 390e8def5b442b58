"""The embedded nats-server: who may enter, what survives a kill."""

import asyncio
import json
import socket
import sysconfig
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import nats
import pytest
from nats.aio.client import Client
from nats.js.api import StreamConfig

from adapters.children import AlreadyRunning, CannotStart, spawn, stop
from adapters.embedded_nats import NatsServer
from adapters.nats_client import NatsConnection
from adapters.nats_credentials import proof
from adapters.nats_keys import is_user_seed, new_seed, public_key, signature


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[NatsServer]:
    server = NatsServer(tmp_path / "nats")
    await server.start()
    yield server
    await server.stop()


async def enter(server: NatsServer) -> Client:
    return await nats.connect(server.url, **proof(server.credentials))


def address_of(server: NatsServer) -> tuple[str, int]:
    host, _, port = server.url.removeprefix("nats://").partition(":")
    return host, int(port)


async def test_an_acknowledged_message_survives_a_kill_at_the_same_address(server: NatsServer) -> None:
    url = server.url
    client = await enter(server)
    await client.jetstream().add_stream(StreamConfig(name="kept", subjects=["kept"]))
    await client.jetstream().publish("kept", b"1")
    await client.close()
    await server.kill()
    await server.start()
    assert server.url == url
    client = await enter(server)
    assert (await client.jetstream().stream_info("kept")).state.messages == 1
    await client.close()


async def knock(server: NatsServer, who: dict[str, str], seed: str | None) -> bytes:
    """Give what the server says to one who comes with this, signed with that."""
    reader, writer = await asyncio.open_connection(*address_of(server))
    nonce = json.loads((await reader.readline()).removeprefix(b"INFO "))["nonce"]
    signed = {} if seed is None else {"sig": signature(seed, nonce)}
    writer.write(f"CONNECT {json.dumps(who | signed)}\r\nPING\r\n".encode())
    while (answer := await reader.readline()).startswith(b"PING"):  # it measures the way to whoever waits
        pass
    writer.close()
    await writer.wait_closed()
    return answer


async def test_nobody_enters_without_the_seed_while_there_is_nobody_to_ask(server: NatsServer) -> None:
    assert address_of(server)[0] == "127.0.0.1"
    stranger, ours = new_seed(), public_key(server.credentials.read_text())
    answers = await asyncio.gather(
        knock(server, {}, None),
        knock(server, {"user": "minos", "pass": "guess"}, None),
        knock(server, {"nkey": public_key(stranger)}, stranger),
        knock(server, {"nkey": ours}, stranger),
    )
    assert all(answer == b"" or answer.startswith(b"-ERR 'Auth") for answer in answers), answers
    for kept in ("seed", "callout-issuer", "callout-xkey", "nats.conf", "nats.log"):
        assert (server.home / kept).stat().st_mode & 0o077 == 0


@asynccontextmanager
async def squatting(server: NatsServer, **greeting: str) -> AsyncGenerator[list[str]]:
    """Listen where the server did, make believe to be one, and give every line that is said to us."""
    heard: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"INFO {json.dumps({'jetstream': True, 'max_payload': 1_048_576, 'auth_required': True, **greeting})}\r\n".encode())
        while line := (await reader.readline()).decode():
            heard.append(line)
            if line.startswith("PING"):
                writer.write(b"PONG\r\n")
        writer.close()

    async with await asyncio.start_server(serve, *address_of(server)):
        yield heard


@pytest.mark.parametrize("greeting", [{"nonce": "a nonce of ours"}, {}], ids=["asks for a signature", "asks for nothing"])
async def test_who_takes_the_port_of_a_dead_server_learns_no_secret(server: NatsServer, greeting: dict[str, str]) -> None:
    seed = server.credentials.read_text()
    before = NatsConnection(server.url, credentials=server.credentials)
    await before.connect()
    await server.kill()
    async with squatting(server, **greeting) as heard:
        after = await enter(server)
        assert await server._greets()
        with pytest.raises(CannotStart, match="in use"):
            await server.start()
        async with asyncio.timeout(5):
            while not before.client.is_connected or sum(line.startswith("CONNECT ") for line in heard) < 3:
                await asyncio.sleep(0.01)
        await after.close()
        await before.close()
    said = [json.loads(line.removeprefix("CONNECT ")) for line in heard if line.startswith("CONNECT ")]
    assert len(said) == 3
    for who in said:
        assert not {"user", "pass", "auth_token", "jwt"} & who.keys()
        assert who.get("nkey", public_key(seed)) == public_key(seed)
    assert not any(part in line for line in heard for part in (seed, seed[2:-4]))


async def test_a_folder_of_a_version_with_a_password_goes_on_without_it(tmp_path: Path) -> None:
    home = tmp_path / "nats"
    home.mkdir(mode=0o700)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    conf = (
        f'server_name: minos\nlisten: "127.0.0.1:{port}"\npid_file: "nats.pid"\n'
        'authorization { user: "minos", password: "old", timeout: 5 }\n'
        'jetstream { store_dir: "jetstream", sync_interval: always }\n'
    )
    for name, content in {"port": str(port), "password": "old", "nats.conf": conf}.items():
        (home / name).write_text(content)
    with (home / "nats.log").open("ab") as output:
        old = spawn([f"{sysconfig.get_path('scripts')}/nats-server", "-c", "nats.conf"], cwd=home, output=output, env={})
    client = await nats.connect(f"nats://minos:old@127.0.0.1:{port}", reconnect_time_wait=0.05)
    await client.jetstream().add_stream(StreamConfig(name="kept", subjects=["kept"]))
    await client.jetstream().publish("kept", b"1")
    await client.close()
    await stop(old)
    server = NatsServer(home)
    assert not server.find()
    await server.start()
    assert address_of(server) == ("127.0.0.1", port)
    client = await enter(server)
    assert (await client.jetstream().stream_info("kept")).state.messages == 1
    await client.close()
    assert not (home / "password").exists()
    assert NatsServer(home).find()
    await server.stop()


async def test_a_seed_is_kept_and_one_cut_short_is_made_anew(server: NatsServer) -> None:
    seed = server.credentials.read_text()
    await server.stop()
    await server.start()
    assert server.credentials.read_text() == seed
    await server.stop()
    server.credentials.write_text(seed[:20])
    await server.start()
    made = server.credentials.read_text()
    assert is_user_seed(made)
    assert made != seed


async def test_the_port_is_kept_unless_somebody_took_it(server: NatsServer) -> None:
    kept = server.url
    await server.stop()
    again = NatsServer(server.home)
    await again.start()
    assert again.url == kept
    await again.stop()
    with socket.create_server(("127.0.0.1", int(kept.rpartition(":")[2]))):
        other = NatsServer(server.home)
        await other.start()
        assert other.url != kept
        await other.stop()


async def test_a_folder_serves_one_server_at_a_time(server: NatsServer) -> None:
    with pytest.raises(AlreadyRunning):
        await NatsServer(server.home).start()


async def test_a_server_left_running_is_stopped_before_the_next_starts(server: NatsServer) -> None:
    left = server._child
    assert left is not None
    server._released()
    await server.start()
    assert left.poll() is not None


async def test_a_path_with_spaces_and_quotes_works(tmp_path: Path) -> None:
    server = NatsServer(tmp_path / "with 'single' and \"double\" {braces}")
    await server.start()
    await server.stop()
