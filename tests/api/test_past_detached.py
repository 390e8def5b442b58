"""A question about the past that needs events which were moved away says so, and how they come back (410)."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import httpx
import pytest

from adapters import master_key
from adapters.checkpoint_key import open_signer
from adapters.embedded_postgres import PostgresServer
from adapters.postgres_links import Links
from adapters.second_place import FolderPlace
from adapters.wrapping import Wrapping
from api.app import create
from cli.first_start import prepare
from tests.api.conftest import BASE, FIRST_ADMIN, PASSWORD, Person, Served, lifespan, settings_for, until_open
from tests.api.test_past_token import jti_of
from tests.conftest import database_of
from tests.integrator.conftest import settle
from tests.tree.dated import moment, write_dated
from workers.audit.export import export
from workers.integrator import integrator
from workers.integrator.integrator import Integrator
from workers.retention.keeping import keep_small
from workers.retention.moving import attach, detach

TILE = 256
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@pytest.fixture
async def served(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Served]:
    """One of its own, with its first administrator."""
    superuser = await asyncpg.connect(postgres_server.superuser_url)
    await superuser.execute("CREATE DATABASE past_detached TEMPLATE minos OWNER minos_owner STRATEGY FILE_COPY")
    database = database_of(postgres_server, "past_detached")
    settings = settings_for(database, tmp_path_factory.mktemp("past-detached"))
    code = await prepare(settings, owner_url=database.owner_url)
    edge = create(settings)
    transport = httpx.ASGITransport(app=edge)  # type: ignore[arg-type]  # the same protocol, typed less openly
    monkeypatch.setattr(integrator, "PUBLISH_SECONDS", 0.0)
    async with lifespan(edge), httpx.AsyncClient(transport=transport, base_url=BASE) as http:
        await until_open(edge)
        served = Served(edge, http, database, code or "")
        answer = await http.post("/api/v1/bootstrap", json={"code": code, "email": FIRST_ADMIN, "password": PASSWORD})
        assert answer.status_code == 201, answer.text
        yield served
        await served.close()
    await superuser.execute("DROP DATABASE past_detached WITH (FORCE)")
    await superuser.close()


async def move_away(served: Served, owner: "asyncpg.Connection[asyncpg.Record]", tmp_path_factory: pytest.TempPathFactory) -> None:
    """Seal and export all there is, and take it out of the table; what fills its last tile is written behind it."""
    database, settings = served.database, served.world.settings
    links = Links(database.app_url)
    signer = await open_signer(links, Wrapping([master_key.load(settings)]), settings.issuer)
    await links.close()
    worker = Integrator(database.app_url, signer, FolderPlace(tmp_path_factory.mktemp("second-place")))
    soon = datetime.now(UTC) + timedelta(days=1)
    await keep_small(database.owner_url, close_before=soon, over_before=LONG_AGO)
    await write_dated(database.owner_url, database.app_url, [moment(n) for n in range(TILE)])
    await settle(worker)
    await worker.close()
    await served.project()
    bundle = tmp_path_factory.mktemp("bundles") / "bundle"
    await export(database.app_url, bundle)
    await detach(owner, 0, bundle)
    await served.project()


async def test_what_needs_events_that_lie_elsewhere_is_gone_until_they_are_back(
    served: Served, tmp_path_factory: pytest.TempPathFactory
) -> None:
    admin, person = Person(served.http, FIRST_ADMIN), await served.person()
    await admin.sign_in()
    await served.project()
    questions = {
        f"/audit/tokens/{jti_of(person.access)}": {},
        "/audit/at": {"time": "position:3", "who_can": "minos.users.read"},
        "/audit/diff": {"from": "position:3", "to": "now"},
    }
    for path, asked in questions.items():
        answer = await admin.ask("GET", path, params=asked)
        assert answer.status_code == 200, answer.text
    owner = await asyncpg.connect(served.database.owner_url)
    await move_away(served, owner, tmp_path_factory)
    for path, asked in questions.items():
        answer = await admin.ask("GET", path, params=asked)
        assert (answer.status_code, answer.json()["code"]) == (410, "log_detached"), path
        assert "`minos retention attach 0`" in answer.json()["detail"]
    await attach(owner, 0)
    await owner.close()
    for path, asked in questions.items():
        assert (await admin.ask("GET", path, params=asked)).status_code == 200, path
