"""A real `minos up`, and the application without a socket, as the end-to-end tests and those of the API start them; and one hashing
process for the worlds in memory."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from adapters.embedded_postgres import PostgresServer
from bench import nginx
from tests import envoy
from tests.api.conftest import Served, admin, api_folder, served
from tests.behind_gateways import Gateway, behind_envoy, behind_nginx
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


GATEWAYS = {"nginx": (nginx.found, behind_nginx), "envoy": (envoy.found, behind_envoy)}


@pytest.fixture(scope="session", params=GATEWAYS)
async def gateway(request: pytest.FixtureRequest, served: Served, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    """As it is shipped, in front of a service, asking the authority. Skipped with the reason where the program cannot be had."""
    found, behind = GATEWAYS[request.param]
    program = found()
    if isinstance(program, str):
        pytest.skip(program)
    async with behind(program, tmp_path_factory.mktemp(request.param), served.edge) as running:
        running.name = request.param
        yield running
