"""The whole: a primary and its standby, three NATS servers, two machines that serve, two that work, and nginx in front."""

import asyncio
import secrets
from base64 import b64encode
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from msgspec import Struct

from adapters import postgres_home
from adapters.nats_home import keep_keys
from adapters.postgres_roles import kept_passwords
from bench.arguments import HERE
from bench.cluster import broker
from bench.cluster.broker import Broker
from bench.cluster.database import PORT, Postgres
from bench.cluster.network import Machine
from bench.cluster.programs import API_PORT, FRONT_PORT, Minos, Nginx, command
from bench.cluster.versions import Version

NAMES = {"pg-1": 11, "pg-2": 12, "nats-1": 21, "nats-2": 22, "nats-3": 23, "api-1": 31, "api-2": 32, "work-1": 41, "work-2": 42}
"""Machines, and the ends of their addresses."""
FRONT = f"http://127.0.0.1:{FRONT_PORT}"
LIFE_S = 3_600
DRAIN_S = 3
AUDIENCE = "shop"


class NatsOfMinos(Struct, frozen=True):
    """Where NATS is, and the file that proves to it who we are."""

    url: str
    credentials: Path


class Cluster:
    """`primary` is the database that takes writes; `told` hears of each step."""

    def __init__(self, folder: Path, nginx: Path, told: Callable[[str], None]) -> None:
        self.folder, self.told = folder, told
        self.machines = {name: Machine(name, number) for name, number in NAMES.items()}
        self._keys = folder / "keys-of-nats"
        self._shared = folder / "shared"
        self._master_key = b64encode(secrets.token_bytes(32)).decode()
        for made in (self._keys, self._shared, folder / "minos", folder / "nginx", folder / "postgres", folder / "nats"):
            made.mkdir()
        _write_public_keys(self._keys)
        postgres_home.let_through(folder / "postgres", lambda _: None)
        passwords = kept_passwords(folder / "passwords.json")
        self.primary, self.standby = (Postgres(self.machines[name], folder / "postgres", passwords) for name in ("pg-1", "pg-2"))
        peers = [self.machines[f"nats-{n}"] for n in (1, 2, 3)]
        self.brokers = [Broker(machine, folder / "nats", peers, self._keys) for machine in peers]
        self.apis, self.workers = (
            [Minos(self.machines[f"{name}-{n}"], what, folder / "minos", self.settings) for n in (1, 2)]
            for name, what in (("api", "serve"), ("work", "work"))
        )
        self._nginx = Nginx(nginx, folder / "nginx", {name: f"{self.machines[name].address}:{API_PORT}" for name in ("api-1", "api-2")})

    @property
    def database_url(self) -> str:
        """The serving role's, at the primary. Holds a password."""
        return self.primary.url("minos_app")

    @property
    def seed(self) -> Path:
        return self._keys / "seed"

    @property
    def nats(self) -> NatsOfMinos:
        return NatsOfMinos(self.brokers[0].url, self.seed)

    def settings(self, version: Version, machine: Machine | None = None) -> Mapping[str, str]:
        """What is the same everywhere, and what differs: the address, and how many servers a version can be told of."""
        several = "nats_replicas" in version.settings
        local = self.folder / "minos" / ("here" if machine is None else machine.name)
        local.mkdir(exist_ok=True)
        return {
            "database_url": self._postgres_url("minos_app") if several else self.database_url,
            "migration_database_url": self._postgres_url("minos_owner") if several else self.primary.url("minos_owner"),
            "nats_url": ",".join(each.url for each in self.brokers) if several else self.brokers[0].url,
            "nats_credentials": str(self.seed),
            "nats_callout_issuer_file": str(self._keys / "callout-issuer"),
            "nats_callout_xkey_file": str(self._keys / "callout-xkey"),
            "master_key": self._master_key,
            "data_dir": str(local),
            "keys_dir": str(self._shared / "keys"),
            "second_place": str(self._shared / "second-place"),
            "host": "127.0.0.1" if machine is None else machine.address,
            "port": str(API_PORT),
            "metrics_port": "0",
            "issuer": FRONT,
            "allowed_hosts": ",".join(["127.0.0.1", *(self.machines[name].address for name in ("api-1", "api-2"))]),
            "trusted_proxies": "198.18.0.1/32",
            "audiences": AUDIENCE,
            "access_token_ttl": str(LIFE_S),
            "shutdown_drain": str(DRAIN_S),
            "argon2_memory_kib": "7168",
            "argon2_passes": "1",
            "limits_file": str(HERE / "limits_raised.toml"),
            "log_format": "json",
        }

    def _postgres_url(self, role: str) -> str:
        both = ",".join(f"{self.machines[name].address}:{PORT}" for name in ("pg-1", "pg-2"))
        url = self.primary.url(role)
        return url.replace(f"{self.primary.machine.address}:{PORT}", both)

    async def start(self, version: Version) -> None:
        """Bring everything up, with Minos of a version. Raises CannotStart, NotReady, TimeoutError."""
        self.told("a primary and its standby")
        await self.primary.make()
        await self.standby.follow(self.primary)
        self.told("three NATS servers")
        for each in self.brokers:
            each.start()
        await broker.until_ready(self.brokers, self.seed)
        self.told(f"Minos with migration {version.level}, twice, with two of its workers")
        await command(version, self.settings(version), "migrate")
        for part in (*self.apis, *self.workers):
            await part.start(version)
        await self._nginx.start()

    async def promote(self) -> None:
        """Let the standby take the primary's place; there is no standby then."""
        await self.standby.promote()
        self.primary, self.standby = self.standby, self.primary

    async def stop(self) -> None:
        await self._nginx.stop()
        await asyncio.gather(*(part.stop() for part in (*self.apis, *self.workers)))
        await asyncio.gather(self.primary.stop(), self.standby.stop())
        for machine in self.machines.values():
            await machine.power_off()
            machine.close()


@asynccontextmanager
async def running(folder: Path, nginx: Path, version: Version, told: Callable[[str], None]) -> AsyncGenerator[Cluster]:
    """Have one until the block ends; everything that it started has ended then."""
    async with AsyncExitStack() as stack:
        cluster = Cluster(folder, nginx, told)
        stack.push_async_callback(cluster.stop)
        await cluster.start(version)
        yield cluster


def _write_public_keys(folder: Path) -> None:
    """As `minos nats-keys` does."""
    names = ("minos_user", "callout_issuer", "callout_xkey")
    (folder / "keys.conf").write_text("".join(f"{name}: {key}\n" for name, key in zip(names, keep_keys(folder), strict=True)))
