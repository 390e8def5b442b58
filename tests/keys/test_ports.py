"""Everything opened at once from settings, over a real database."""

import base64
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import asyncpg
import pytest

from adapters.ports import NoDatabase, open_ports
from adapters.postgres_sql import statements
from adapters.secret import Secret
from adapters.settings import Settings
from adapters.wrapping import CannotUnwrap
from commands.ports import (
    BootstrapCodes,
    EventStore,
    Macs,
    PasswordHasher,
    SigningKeys,
    SignInGuard,
    TokenMint,
    Vault,
)
from domain.errors import InvalidToken
from tests.conftest import Database
from tests.keys.signing import active, claims

HERE = Path(__file__).resolve().parents[2] / "adapters"
FILES = ["key_holders", "root_keys", "subject_keks", "vault", "guard", "secrets_store", "signing_secrets", "bootstrap_codes"]


@pytest.fixture
def settings_for(tmp_path: Path) -> Callable[..., Settings]:
    """Settings of one machine, whose folder has the keys of the months."""
    return partial(_settings, tmp_path)


def _settings(folder: Path, database: Database, *, master: bytes = b"k" * 32, issuer: str = "https://id.example.org") -> Settings:
    return Settings(
        data_dir=folder,
        issuer=issuer,
        database_url=Secret(database.app_url),
        master_key=Secret(base64.b64encode(master).decode()),
        audiences=("tasks",),
        argon2_memory_kib=7_168,
        argon2_passes=1,
    )


async def test_what_is_opened_is_what_commands_ask_for(database: Database, settings_for: Callable[..., Settings]) -> None:
    async with open_ports(settings_for(database)) as opened:
        ports = opened.ports
        assert isinstance(ports.store, EventStore)
        assert isinstance(ports.vault, Vault)
        assert isinstance(ports.hasher, PasswordHasher)
        assert isinstance(ports.guard, SignInGuard)
        assert isinstance(ports.mint, TokenMint)
        assert isinstance(ports.macs, Macs)
        assert isinstance(ports.keys, SigningKeys)
        assert isinstance(ports.bootstrap, BootstrapCodes)


async def test_a_restart_finds_its_keys_again(database: Database, settings_for: Callable[..., Settings]) -> None:
    settings = settings_for(database)
    async with open_ports(settings) as opened:
        await active(opened.keyring, opened.store)
        token = await opened.ports.mint.access_token(claims(time.time()))
        mac = opened.ports.macs.login_name("ada")
    async with open_ports(settings) as opened:
        assert (await opened.tokens.verify(token, audiences={"minos"})).aud == "minos"
        assert opened.ports.macs.login_name("ada") == mac


async def test_a_token_of_another_issuer_over_the_same_keys_is_refused(database: Database, settings_for: Callable[..., Settings]) -> None:
    async with open_ports(settings_for(database)) as opened:
        await active(opened.keyring, opened.store)
        token = await opened.ports.mint.access_token(claims(time.time()))
    async with open_ports(settings_for(database, issuer="https://other.example.org")) as opened:
        with pytest.raises(InvalidToken):
            await opened.tokens.verify(token, audiences={"minos"})


async def test_the_wrong_master_key_stops_the_start(database: Database, settings_for: Callable[..., Settings]) -> None:
    async with open_ports(settings_for(database)):
        pass
    with pytest.raises(CannotUnwrap):
        async with open_ports(settings_for(database, master=b"x" * 32)):
            pass


async def test_without_a_database_nothing_opens() -> None:
    with pytest.raises(NoDatabase):
        async with open_ports(Settings()):
            pass


@pytest.mark.parametrize("file", FILES)
async def test_every_statement_fits_the_schema_under_the_serving_role(database: Database, file: str) -> None:
    connection = await asyncpg.connect(database.app_url)
    try:
        for sql in statements(HERE / f"{file}.sql").values():
            await connection.prepare(sql)
    finally:
        await connection.close()


async def test_a_sealed_field_is_opened_by_primary_key(owner: "asyncpg.Connection[asyncpg.Record]") -> None:
    await owner.execute(
        "INSERT INTO vault.subject_keys SELECT gen_random_uuid(), 'user-' || n, 'profile', 1, 'x', 'mk' FROM generate_series(1, 5000) n"
    )
    await owner.execute("ANALYZE vault.subject_keys")
    plan = "\n".join(
        row[0]
        for row in await owner.fetch(
            "EXPLAIN " + statements(HERE / "vault.sql")["find_keys"].replace("$1::uuid[]", "ARRAY[gen_random_uuid()]")
        )
    )
    assert "subject_keys_pkey" in plan
    assert "Seq Scan" not in plan
