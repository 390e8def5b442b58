"""The master key is changed while everybody serves: both keys to every process, `minos keys rewrap`, the old one away."""

import argparse
import asyncio
import base64
import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx
import pytest
from msgspec.structs import replace

from adapters import master_key
from adapters.ports import Opened, open_ports
from adapters.random import SystemRandomness
from adapters.rewrapping import StillNeeded
from adapters.secret import Secret
from adapters.settings import Settings
from adapters.vault import name_of
from adapters.wrapping import Wrapped, Wrapping
from api.app import create
from cli import key_checks, rewrap
from cli.authority import authority
from cli.first_start import prepare
from docs.console.authority import ROOT
from domain.event import SealClass, Sealed
from domain.ids import StreamName, SubjectKeyId
from domain.signing_key import Algorithm
from tests.api.conftest import BASE, PASSWORD, RAISED, lifespan, until_open
from tests.conftest import Database
from tests.keys.transit_server import TOKEN, Engine, serving

OLD, NEW = b"\x01" * 32, b"\x02" * 32
OLD_ID, NEW_ID = master_key.of_bytes(OLD).kek_id, master_key.of_bytes(NEW).kek_id
ADA = StreamName("user-ada")


def secret(*keys: bytes) -> Secret:
    return Secret(" ".join(base64.b64encode(key).decode() for key in keys))


@pytest.fixture
def old(database: Database, tmp_path: Path) -> Settings:
    return Settings(
        data_dir=tmp_path,
        issuer=BASE,
        allowed_hosts=("127.0.0.1",),
        database_url=Secret(database.app_url),
        migration_database_url=Secret(database.owner_url),
        master_key=secret(OLD),
        argon2_memory_kib=7_168,
        argon2_passes=1,
        limits_file=RAISED,
    )


@pytest.fixture
def both(old: Settings) -> Settings:
    return replace(old, master_key=secret(NEW), master_key_previous=secret(OLD))


@pytest.fixture
def new(old: Settings) -> Settings:
    return replace(old, master_key=secret(NEW))


async def run(settings: Settings, what: str = "rewrap") -> int:
    async with authority(settings) as opened:
        act = {"rewrap": rewrap.rewrap, "status": rewrap.status}[what]
        return await act(opened, argparse.Namespace(json=True))


async def sealed_by(opened: Opened) -> Sealed:
    fields = {"email": "ada@example.org"}
    return (await opened.vault.seal(subject=ADA, seal_class=SealClass.PROFILE, stream=ADA, fields=fields))["email"]


async def root_keys_in_use(database: Database, folder: Path) -> set[str]:
    connection = await asyncpg.connect(database.owner_url)
    try:
        tables = ("secrets", "signing_secrets", "log_keys")
        used = {row[0] for table in tables for row in await connection.fetch(f"SELECT DISTINCT kek_id FROM vault.{table}")}
    finally:
        await connection.close()
    files = "".join(path.read_text() for path in (folder / "keys" / "months").iterdir())
    return used | {kek_id for kek_id in (OLD_ID, NEW_ID) if kek_id in files}


async def test_one_process_after_the_other_gets_the_new_key_and_then_the_old_one_goes(
    database: Database, old: Settings, both: Settings, new: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    tmp_path = old.data_dir
    async with open_ports(old) as first:
        sealed = await sealed_by(first)
        async with open_ports(both) as second:
            kid = (await second.keyring.generate(Algorithm.ES256)).kid
            assert await root_keys_in_use(database, tmp_path) == {OLD_ID}  # the first would not open what the new one wraps
            assert await run(both) == 2
            assert f"without {NEW_ID}" in capsys.readouterr().err
    assert await run(both, "status") == 1
    assert await run(both) == 0
    assert await root_keys_in_use(database, tmp_path) == {NEW_ID}
    assert await run(both, "status") == 0
    assert await run(both) == 0
    async with open_ports(new) as opened:
        assert await opened.vault.open(sealed, stream=ADA, field="email") == "ada@example.org"
        assert kid in await opened.keyring.kids()


async def test_processes_of_a_backup_count_as_little_as_those_that_ended(database: Database, old: Settings, both: Settings) -> None:
    async with open_ports(old):
        connection = await asyncpg.connect(database.superuser_url)
        await connection.execute("UPDATE vault.key_holders SET database = 1")
        assert await run(both) == 0
        await connection.close()


async def test_threat_11_no_key_changes_by_it(old: Settings, both: Settings, new: Settings) -> None:
    async with open_ports(old) as opened:
        mac = opened.ports.macs.login_name("ada")
    assert await run(both) == 0
    async with open_ports(new) as opened:
        assert opened.ports.macs.login_name("ada") == mac


async def test_an_old_key_taken_away_too_early_refuses_the_start_and_says_what_needs_it(old: Settings, new: Settings) -> None:
    async with open_ports(old) as opened:
        await opened.keyring.generate(Algorithm.ES256)
    with pytest.raises(StillNeeded) as refused:
        async with open_ports(new):
            pass
    assert f"1 signing keys on {OLD_ID}" in str(refused.value)
    assert "service keys" in str(refused.value)
    assert "MINOS_MASTER_KEY_PREVIOUS" in str(refused.value)


async def test_what_it_did_is_in_the_log_by_counts_and_ids(database: Database, old: Settings, both: Settings) -> None:
    async with open_ports(old):
        pass
    await run(both)
    connection = await asyncpg.connect(database.app_url)
    events = [
        (row[0], row[1]) for row in await connection.fetch("SELECT type, payload FROM events WHERE stream = 'vault' ORDER BY version")
    ]
    await connection.close()
    assert [kind for kind, _ in events] == ["vault.rewrap_begun.v1", "vault.rewrapped.v1"]
    assert NEW_ID.encode() in events[1][1]
    assert b'"month_keys":1' in events[1][1]


async def test_without_the_owners_role_it_says_so(both: Settings, old: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    async with open_ports(old):
        pass
    assert await run(replace(both, migration_database_url=None)) == 2
    assert "MINOS_MIGRATION_DATABASE_URL" in capsys.readouterr().err


async def test_doctor_says_how_much_hangs_on_which_key_and_when_one_can_go(old: Settings, both: Settings, new: Settings) -> None:
    async with open_ports(old):
        pass
    before = {finding.check: finding for finding in await key_checks.of_the_database(both)}
    assert not before["keys"].ok
    assert OLD_ID in before["keys"].detail
    await run(both)
    after = {finding.check: finding for finding in await key_checks.of_the_database(both)}
    assert after["keys"].ok
    assert f"{OLD_ID} can be taken away" in after["keys"].detail
    assert all(finding.ok for finding in await key_checks.of_the_database(new))
    [wrong] = await key_checks.of_the_database(old)
    assert not wrong.ok


async def test_from_a_master_key_to_a_kms_and_back(database: Database, old: Settings, new: Settings, tmp_path: Path) -> None:
    engine = Engine()
    with serving(engine) as address:
        kms = {"transit_url": f"{address}/v1/transit/keys/minos", "transit_token": Secret(TOKEN)}
        async with open_ports(old) as opened:
            sealed = await sealed_by(opened)
        assert await run(replace(old, root_key="transit", **kms)) == 0
        alone = replace(old, master_key=None, root_key="transit", **kms)
        async with open_ports(alone) as opened:
            assert await opened.vault.open(sealed, stream=ADA, field="email") == "ada@example.org"
        engine.rotate("minos")
        assert await run(alone) == 0
        connection = await asyncpg.connect(database.owner_url)
        assert str(await connection.fetchval("SELECT wrapped FROM vault.root_keys")).startswith("vault:v2:")
        await connection.close()
        assert await run(replace(new, **kms)) == 0
    async with open_ports(new) as opened:
        assert await opened.vault.open(sealed, stream=ADA, field="email") == "ada@example.org"
    assert await root_keys_in_use(database, tmp_path) == {NEW_ID}


PEOPLE = 4_000


async def fill(database: Database) -> dict[UUID, bytes]:
    """Many people, whose keys the old master key wrapped, as before there were months."""
    chance, root = SystemRandomness(), Wrapping([master_key.of_bytes(OLD)])
    keys = {chance.uuid7(): os.urandom(32) for _ in range(PEOPLE)}
    rows = [
        (key_id, f"user-{key_id}", "profile", 1, wrapped.box, wrapped.kek_id)
        for key_id, raw in keys.items()
        for wrapped in [root.wrap(name_of(SubjectKeyId(key_id)), raw)]
    ]
    connection = await asyncpg.connect(database.superuser_url)
    columns = ["key_id", "subject", "seal_class", "generation", "wrapped", "kek_id"]
    await connection.copy_records_to_table("subject_keys", schema_name="vault", records=rows, columns=columns)
    await connection.close()
    return keys


async def of_people(database: Database) -> dict[str, int]:
    connection = await asyncpg.connect(database.app_url)
    try:
        rows = await connection.fetch("SELECT left(kek_id, 2), count(*) FROM vault.subject_keys GROUP BY 1")
    finally:
        await connection.close()
    return {row[0]: row[1] for row in rows}


async def test_killed_in_the_middle_it_goes_on_with_what_is_left(database: Database, old: Settings, both: Settings, new: Settings) -> None:
    async with open_ports(old):
        pass
    keys = await fill(database)
    environment = {
        "PATH": os.environ["PATH"],
        "MINOS_DATA_DIR": str(both.data_dir),
        "MINOS_DATABASE_URL": database.app_url,
        "MINOS_MIGRATION_DATABASE_URL": database.owner_url,
        "MINOS_MASTER_KEY": secret(NEW).reveal(),
        "MINOS_MASTER_KEY_PREVIOUS": secret(OLD).reveal(),
    }
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli.main", "keys", "rewrap", env=environment, cwd=ROOT, stderr=asyncio.subprocess.DEVNULL
    )
    async with asyncio.timeout(60):
        while "mo" not in await of_people(database):
            await asyncio.sleep(0.005)
    program.send_signal(signal.SIGKILL)
    assert await program.wait() == -signal.SIGKILL
    assert set(await of_people(database)) == {"mk", "mo"}
    async with open_ports(both) as opened:
        await expect_all(database, opened, keys)
    assert await run(both) == 0
    assert await of_people(database) == {"mo": PEOPLE}
    async with open_ports(new) as opened:
        await expect_all(database, opened, keys)


async def expect_all(database: Database, opened: Opened, keys: dict[UUID, bytes]) -> None:
    """Every key opens to what it was."""
    connection = await asyncpg.connect(database.app_url)
    rows = await connection.fetch("SELECT key_id, wrapped, kek_id FROM vault.subject_keys")
    await connection.close()
    assert {row[0]: opened.keks.unwrap(name_of(row[0]), Wrapped(row[1], row[2])) for row in rows} == keys


@asynccontextmanager
async def served(settings: Settings) -> AsyncGenerator[httpx.AsyncClient]:
    edge = create(settings)
    transport = httpx.ASGITransport(app=edge)  # type: ignore[arg-type]  # the same protocol, typed less openly
    async with lifespan(edge), httpx.AsyncClient(transport=transport, base_url=BASE) as http:
        await until_open(edge)
        yield http


async def test_nobody_who_signs_in_meanwhile_notices(database: Database, old: Settings, both: Settings) -> None:
    await prepare(old, owner_url=database.owner_url)
    await fill(database)
    async with served(both) as http:
        await http.post("/api/v1/auth/register", json={"email": "ada@example.org", "password": PASSWORD})
        answers: list[int] = []

        async def sign_in() -> None:
            answer = await http.post("/api/v1/auth/login", json={"email": "ada@example.org", "password": PASSWORD})
            answers.append(answer.status_code)

        moving = asyncio.create_task(run(both))
        while not moving.done():
            await sign_in()
        assert await moving == 0
        await sign_in()
    assert set(answers) == {200}
    assert len(answers) > 3
    assert set(await of_people(database)) == {"mo"}
