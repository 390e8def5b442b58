"""What `minos doctor` says of what services elsewhere are told: that it goes on, and what to do where it does not."""

import asyncio

import asyncpg
import msgspec
import nats
import pytest
from nats.aio.msg import Msg

from adapters.base64url import to_text
from adapters.embedded_nats import NatsServer
from adapters.nats_callout import SERVER_KEY, SUBJECT, Callout
from adapters.nats_credentials import proof
from adapters.secret import Secret
from adapters.settings import Settings
from cli import downstream_checks
from cli.downstream_checks import HEARTBEAT, downstream
from cli.finding import Finding
from tests.conftest import Database

NOW = "UPDATE signal_classes SET complete_to = clock_timestamp()"
HALTED = (
    "INSERT INTO projection_state (name, version, position, status, reason) "
    "VALUES ('signals', 1, 0, 'halted', 'an event of a later version')"
)


async def findings(settings: Settings) -> dict[str, Finding]:
    return {finding.check: finding async for finding in downstream(settings)}


def at(server: NatsServer) -> Settings:
    issuer = Secret(server.callout_issuer.read_text())
    return Settings(nats_url=Secret(server.url), nats_credentials=server.credentials, nats_callout_issuer=issuer)


async def told(database: Database, *statements: str) -> Finding:
    connection = await asyncpg.connect(database.superuser_url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()
    [finding] = (await findings(Settings(database_url=Secret(database.app_url)))).values()
    return finding


async def test_it_tells_a_feed_that_goes_on_from_one_that_stands_still_and_one_that_halted(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downstream_checks, "PATIENCE_S", 0.0)
    never = await told(database)
    assert (never.ok, never.detail) == (False, "never complete: do workers run? services call themselves blind")
    assert (await told(database, NOW)).ok
    late = await told(database, "UPDATE signal_classes SET complete_to = clock_timestamp() - interval '1 minute'")
    assert not late.ok
    assert "complete up to 60." in late.detail
    halted = await told(database, NOW, HALTED)
    assert (halted.ok, halted.detail.partition(";")[0]) == (False, "halted: an event of a later version")


async def test_it_says_that_nothing_comes_and_nobody_lets_services_in(nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downstream_checks, "PATIENCE_S", 0.1)
    assert {check: finding.ok for check, finding in (await findings(at(nats_server))).items()} == {
        "signals in NATS": False,
        "NATS accounts": True,
        "NATS callout": False,
    }


@pytest.mark.parametrize(("state", "well"), [("running", True), ("halted", False), ("catching_up", False)])
async def test_it_hears_how_the_feed_is_and_that_somebody_lets_services_in(
    nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch, state: str, well: bool
) -> None:
    monkeypatch.setattr(downstream_checks, "PATIENCE_S", 5.0 if well else 0.3)
    beat = b"e30." + to_text(msgspec.json.encode({"feed": {"state": state, "complete_to": 0}})).encode() + b".x"
    client = await nats.connect(nats_server.url, **proof(nats_server.credentials))
    wire = Callout(*(Secret(path.read_text()) for path in (nats_server.callout_issuer, nats_server.callout_xkey)))

    async def refused(question: Msg) -> None:
        await client.publish(question.reply, wire.refuse(wire.read(question.data, (question.headers or {})[SERVER_KEY])))

    try:
        await client.subscribe(SUBJECT, cb=refused)
        looking = asyncio.create_task(findings(at(nats_server)))
        while not looking.done():
            await client.publish(HEARTBEAT, beat)
            await asyncio.wait([looking], timeout=0.02)
        found = looking.result()
    finally:
        await client.close()
    assert (found["signals in NATS"].ok, found["signals in NATS"].detail.partition(",")[0]) == (well, state)
    assert found["NATS callout"].ok
