"""A real `minos up`, and the application without a socket, as the end-to-end tests and those of the API start them; and one hashing
process for the worlds in memory."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from adapters.embedded_postgres import PostgresServer
from tests.api.conftest import admin, api_folder, served
from tests.commands.conftest import hashing
from tests.conftest import Database, database_of
from tests.e2e.conftest import folder, http, running

__all__ = ["admin", "api_folder", "folder", "hashing", "http", "running", "served"]


@pytest.fixture(scope="session")
async def api_database(postgres_server: PostgresServer) -> AsyncIterator[Database]:
    """One of our own: the tests of the API have theirs in the same session."""
    connection = await asyncpg.connect(postgres_server.superuser_url)
    try:
        await connection.execute("CREATE DATABASE attacked TEMPLATE minos OWNER minos_owner STRATEGY FILE_COPY")
        yield database_of(postgres_server, "attacked")
        await connection.execute("DROP DATABASE attacked WITH (FORCE)")
    finally:
        await connection.close()
