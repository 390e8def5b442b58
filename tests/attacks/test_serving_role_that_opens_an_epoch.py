"""Whoever has the serving role's password must not make all readers start over, hold the writers meanwhile, or take tiles back."""

import asyncio
import base64
import os
import sys
from pathlib import Path

import pytest

from tests.conftest import Database


@pytest.mark.parametrize("action", [["open-epoch", "--reason", "other"], ["regrow", "--dry-run"], ["regrow", "--all", "--json"]])
@pytest.mark.parametrize(("role", "expected"), [("app_url", (2, b"MINOS_MIGRATION_DATABASE_URL")), ("owner_url", (0, b""))])
async def test_only_the_owner_does_it(
    database: Database, tmp_path: Path, action: list[str], role: str, expected: tuple[int, bytes]
) -> None:
    key = base64.b64encode(bytes(range(32))).decode()
    urls = {"MINOS_MASTER_KEY": key, "MINOS_DATABASE_URL": database.app_url, "MINOS_MIGRATION_DATABASE_URL": getattr(database, role)}
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "import sys; from cli.main import main; sys.exit(main(['log', *sys.argv[1:]]))",
        *action,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(Path.cwd()), "MINOS_DATA_DIR": str(tmp_path), **urls},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(30):
        _, told = await child.communicate()
    assert child.returncode == expected[0], told
    assert expected[1] in told
