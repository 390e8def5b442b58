"""Whoever has the serving role's password must not name the key by which the log is verified."""

import asyncpg
import pytest

from adapters.checkpoint_key import read_log_name
from tests.integrator.conftest import Ground, ground

__all__ = ["ground"]


@pytest.mark.parametrize(
    ("columns", "values"),
    [
        ("name, public, wrapped, kek_id, created_at", "'a', sha256('x'), '', 'k', '1970-01-01'"),
        ("name, public, wrapped, kek_id", "'a', sha256('x'), '', 'k'"),
        ("name, public, wrapped, kek_id", "'id.example.org/log/', sha256('x'), '', 'k'"),
    ],
    ids=["older than it", "beside it", "of nearly its name"],
)
async def test_attack_a_key_put_before_that_of_the_log(ground: Ground, columns: str, values: str) -> None:
    app = await asyncpg.connect(ground.database.app_url)
    with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.UniqueViolationError)):
        await app.execute(f"INSERT INTO vault.log_keys ({columns}) VALUES ({values})")
    await app.close()
    assert await read_log_name(ground.links) == ground.signer.name
