"""What `minos doctor` sees of real servers: rights and owners that are not as they were made, certificates, an issuer that is another."""

import asyncio
import json
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg
import pytest

from adapters.secret import Secret
from adapters.settings import Settings
from cli import address_checks, certificate_checks
from cli.finding import Finding
from cli.role_checks import rights
from cli.server_checks import server
from tests.conftest import Database
from tests.mail.server import Certificate, Received, Smtp, make_certificate

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@asynccontextmanager
async def listening(answer: Answer, tls: ssl.SSLContext | None = None) -> AsyncGenerator[int]:
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def of_rights(database: Database) -> dict[str, Finding]:
    connection = await asyncpg.connect(database.app_url)
    try:
        return {finding.check: finding for finding in await rights(connection)}
    finally:
        await connection.close()


@pytest.mark.parametrize(
    ("change", "check", "says"),
    [
        ("SELECT", "", ""),
        ("REVOKE SELECT ON heads FROM minos_app", "rights", "SELECT ON heads"),
        ("REVOKE EXECUTE ON FUNCTION sequence_step FROM minos_app", "rights", "EXECUTE ON sequence_step"),
        ("REVOKE CREATE ON SCHEMA read FROM minos_app", "rights", "CREATE ON SCHEMA read"),
        ("ALTER TABLE last_used OWNER TO postgres", "owners", "last_used is postgres's"),
    ],
    ids=["well", "table", "function", "schema", "owner"],
)
async def test_rights_and_owners_are_as_they_were_made(database: Database, change: str, check: str, says: str) -> None:
    superuser = await asyncpg.connect(database.superuser_url)
    await superuser.execute(change)
    await superuser.close()
    found = await of_rights(database)
    assert [name for name, finding in found.items() if not finding.ok] == ([check] if check else [])
    assert not check or says in found[check].detail


async def test_a_server_is_read_whole(database: Database) -> None:
    connection = await asyncpg.connect(database.app_url)
    found = {finding.check: finding for finding in await server(connection, 1)}
    await connection.close()
    assert not found["durability"].ok, "the servers of tests keep nothing through a power cut"
    assert [name for name, finding in found.items() if not finding.ok] == ["durability"]


async def test_certificates_are_found_behind_each_way_of_asking_for_tls(certificate: Certificate) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.chain, certificate.key)

    async def after_asking(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readexactly(8) == b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
        writer.write(b"S")
        await writer.start_tls(context)

    async def without(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(8)
        writer.write(b"N")
        writer.close()

    async def announced(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'INFO {"tls_required":true}\r\n')
        await writer.start_tls(context)

    async def at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    mail = Smtp(Received(), certificate).start()
    async with listening(after_asking) as postgres, listening(announced) as nats, listening(at_once, context) as https:
        settings = Settings(
            issuer=f"https://127.0.0.1:{https}",
            database_url=Secret(f"postgresql://minos_app:secret@127.0.0.1:{postgres}/minos"),
            nats_url=Secret(f"nats://127.0.0.1:{nats}"),
            smtp_url=Secret(f"smtp://127.0.0.1:{mail.port}"),
        )
        found = await certificate_checks.certificates(settings)
    mail.stop()
    assert [finding.detail.split()[1] for finding in found] == ["MINOS_ISSUER", "MINOS_DATABASE_URL", "MINOS_NATS_URL", "MINOS_SMTP_URL"]
    async with listening(without) as postgres:
        plain = Settings(database_url=Secret(f"postgresql://minos_app:secret@127.0.0.1:{postgres}/minos"))
        assert await certificate_checks.certificates(plain) == []


async def issued(database: Database, told: dict[str, object], keys: list[dict[str, str]]) -> list[Finding]:
    """Ask an issuer that says this of itself."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = await reader.readuntil(b"\r\n\r\n")
        body = json.dumps({"keys": keys} if b"jwks.json" in line else told).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        await writer.drain()
        writer.close()

    async with listening(answer) as port:
        issuer = f"http://127.0.0.1:{port}"
        settings = Settings(issuer=issuer, database_url=Secret(database.app_url))
        return await address_checks.issuer(settings)


async def test_an_issuer_that_is_somebody_else_is_told_of(database: Database) -> None:
    found = await issued(database, {"issuer": "https://old.example.org"}, [])
    assert [(finding.check, finding.ok) for finding in found] == [("issuer", False), ("key set", True)]
    assert "another MINOS_ISSUER" in found[0].detail
    [strange] = [finding for finding in await issued(database, {"issuer": "x"}, [{"kid": "strange"}]) if finding.check == "key set"]
    assert not strange.ok
    assert "another database" in strange.detail
    [other] = await issued(database, {"nothing": "of it"}, [])
    assert not other.ok


async def test_an_issuer_that_does_not_answer_is_a_warning() -> None:
    [finding] = await address_checks.issuer(Settings(issuer="http://127.0.0.1:9"))
    assert finding.warning
    assert "MINOS_ISSUER" in finding.detail
