"""What the administrative commands work with: the ports and the read models of the authority the settings lead to."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
import msgspec

from adapters import postgres_connect
from adapters.embedded_postgres import running_admin_url, running_app_url, running_owner_url
from adapters.ports import Opened, open_ports
from adapters.secret import Secret
from adapters.settings import Settings
from cli import startup
from commands.context import Context
from commands.ports import Ports
from domain.ids import CorrelationId
from projections.reading import ReadModels


@dataclass(frozen=True, slots=True)
class Authority:
    """The holder of the database acts as `system:cli`, bounded by no role."""

    settings: Settings
    opened: Opened
    models: ReadModels
    url: Secret
    pool: "asyncpg.Pool[asyncpg.Record]"

    @property
    def ports(self) -> Ports:
        return self.opened.ports

    def context(self) -> Context:
        return Context(correlation_id=CorrelationId(self.ports.random.uuid7()), system="cli")


def database_url(settings: Settings) -> Secret:
    """Give the URL that is set, or else the one of the server `minos up` runs in the data folder. Raises CannotStart."""
    return settings.database_url or Secret(running_app_url(settings.data_dir / "postgres"))


def owner_url(settings: Settings) -> Secret:
    """The same for the role that owns the schema; the serving role's where no other is set. Raises CannotStart."""
    if settings.database_url is None:
        return Secret(running_owner_url(settings.data_dir / "postgres"))
    return settings.migration_database_url or settings.database_url


def backup_url(settings: Settings) -> Secret:
    """The same for a role that may read everything; the owner's where no other is set. Raises CannotStart."""
    if settings.database_url is None:
        return Secret(running_admin_url(settings.data_dir / "postgres"))
    return settings.backup_database_url or owner_url(settings)


@asynccontextmanager
async def authority(settings: Settings) -> AsyncGenerator[Authority]:
    """Open the authority that serves these settings; without a database URL, the one `minos up` runs in the data folder.

    Raises CannotStart when nothing runs there, and what open_ports raises.
    """
    url = database_url(settings)
    owner = owner_url(settings) if settings.database_url is None else settings.migration_database_url
    settings = msgspec.structs.replace(settings, database_url=url, migration_database_url=owner)
    async with (
        open_ports(settings) as opened,
        postgres_connect.pool(url.reveal(), size=2, timeout=10) as pool,
    ):
        yield Authority(settings=settings, opened=opened, models=ReadModels(pool), url=url, pool=pool)


def with_authority(act: Callable[[Authority], Awaitable[int]]) -> int:
    """Run one command's work against the authority, and give its exit code."""

    async def run() -> int:
        async with authority(startup.settings()) as opened:
            return await act(opened)

    return asyncio.run(run())
