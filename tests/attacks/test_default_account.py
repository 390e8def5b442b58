"""An account that is there from the first start, whose password everybody knows or can look up."""

import base64
from pathlib import Path

import asyncpg

from adapters.secret import Secret
from adapters.settings import Settings
from cli.first_start import furnish
from tests.conftest import Database


async def test_a_first_start_makes_nobody_who_could_sign_in(database: Database, tmp_path: Path) -> None:
    settings = Settings(
        data_dir=tmp_path, database_url=Secret(database.app_url), master_key=Secret(base64.b64encode(bytes(range(32))).decode())
    )
    assert await furnish(settings, with_code=True), "no way to the first administrator"
    connection = await asyncpg.connect(database.owner_url)
    try:
        streams = [row["stream"] for row in await connection.fetch("SELECT stream FROM heads")]
    finally:
        await connection.close()
    assert {stream.partition("-")[0] for stream in streams} == {"role", "signing_key"}
