"""Finds the servers of a running `minos up`, for commands that speak to them from another terminal."""

import msgspec

from adapters.children import CannotStart
from adapters.embedded_nats import NatsServer
from adapters.embedded_postgres import PostgresServer
from adapters.secret import Secret
from adapters.settings import Settings


def connected(settings: Settings) -> Settings:
    """Fill in the database and broker of the `minos up` of this data folder where the settings name none.

    Raises CannotStart when no database can be found that way. A broker that is not there is left out.
    """
    if settings.database_url is None:
        postgres = PostgresServer(settings.data_dir / "postgres")
        if not postgres.find():
            raise CannotStart(f"no database: set MINOS_DATABASE_URL, or run `minos up` with its data in {settings.data_dir}")
        settings = msgspec.structs.replace(
            settings, database_url=Secret(postgres.app_url), migration_database_url=Secret(postgres.owner_url)
        )
    if settings.nats_url is None:
        nats = NatsServer(settings.data_dir / "nats")
        if nats.find():
            settings = msgspec.structs.replace(
                settings,
                nats_url=Secret(nats.url),
                nats_credentials=nats.credentials,
                nats_callout_issuer=Secret(nats.callout_issuer.read_text()) if nats.callout_issuer.exists() else None,
            )
    return settings
