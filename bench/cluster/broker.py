"""Three nats-servers with JetStream that keep every stream together, with the configuration in deploy/nats."""

import asyncio
import secrets
import shutil
import subprocess
import sysconfig
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from nats.aio.client import Client
from nats.errors import Error as NatsError

from adapters.jetstream import JetStream, StreamAway
from adapters.nats_credentials import proof
from bench.arguments import HERE
from bench.cluster.network import Machine

CONFIGURATION = HERE.parent / "deploy" / "nats"
PORT = 4222
_ROUTE_PORT = 6222
_AMONG = secrets.token_hex(32)
"""What the servers know each other by."""
READY_S = 60.0
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "TZ": "UTC", "GOMAXPROCS": "1"}


class Broker:
    """One server of the cluster."""

    def __init__(self, machine: Machine, folder: Path, peers: Sequence[Machine], keys: Path) -> None:
        self.machine = machine
        self._folder = folder / machine.name
        self._folder.mkdir()
        self._log = folder / f"{machine.name}.log"
        shutil.copy(keys / "keys.conf", self._folder)
        for name in ("nats.conf", "cluster.conf"):
            text = (CONFIGURATION / name).read_text().replace("/data", str(self._folder / "data"))
            (self._folder / name).write_text(text.replace("server_name: nats-1", f"server_name: {machine.name}"))
        urls = ", ".join(f'"nats://minos:{_AMONG}@{peer.address}:{_ROUTE_PORT}"' for peer in peers)
        (self._folder / "routes.conf").write_text(f'route_password: "{_AMONG}"\nroute_urls: [ {urls} ]\n')
        self._child: subprocess.Popen[bytes] | None = None

    def __repr__(self) -> str:
        return f"Broker({self.machine.name})"

    @property
    def url(self) -> str:
        return f"nats://{self.machine.address}:{PORT}"

    def start(self) -> None:
        program = Path(sysconfig.get_path("scripts")) / "nats-server"
        argv = [str(program), "-c", "cluster.conf"]
        self._child = self.machine.run(argv, folder=self._folder, log=self._log, env=_ENVIRONMENT)


@asynccontextmanager
async def connected(brokers: Sequence[Broker], seed: Path) -> AsyncGenerator[Client]:
    """A connection of Minos' own to whichever answers."""
    client, servers = Client(), [each.url for each in brokers]
    await client.connect(servers, connect_timeout=2, max_reconnect_attempts=-1, error_cb=_keep_quiet, **proof(seed))
    try:
        yield client
    finally:
        await client.close()


async def until_ready(brokers: Sequence[Broker], seed: Path) -> None:
    """Wait until the cluster has a leader that answers. Raises TimeoutError."""
    async with asyncio.timeout(READY_S):
        while True:
            with suppress(NatsError, OSError, StreamAway, TimeoutError):
                async with connected(brokers, seed) as client:
                    await JetStream(client).ask("INFO")
                    return
            await asyncio.sleep(0.1)


async def leader(brokers: Sequence[Broker], seed: Path, stream: str) -> Broker:
    """Give the server that leads a stream. Raises LookupError while none does."""
    async with connected(brokers, seed) as client:
        found = await JetStream(client).ask(f"STREAM.INFO.{stream}")
    name = (found or {}).get("cluster", {}).get("leader", "")
    for broker in brokers:
        if broker.machine.name == name:
            return broker
    raise LookupError(f"{stream} has no leader")


async def _keep_quiet(_: Exception) -> None:
    """Servers are away here, on purpose; the client would print a trace for each."""
