"""Whoever has the serving role's password adds lines below a checkpoint: what witnesses signed stays, and no other text comes there."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from adapters.postgres import Connection
from tests.integrator import conftest as integrating
from tests.integrator import test_collector as collecting
from tests.integrator.conftest import Ground
from tests.integrator.test_collector import Begin, Collected
from tests.witness.served import ServedWitness

ground, witnesses, begin = integrating.ground, collecting.witnesses, collecting.begin
SIZE = 3
NOTE = f"(SELECT note FROM log_checkpoints WHERE size = {SIZE})"
LINE = "chr(8212) || ' w9 AAAAAAAA' || chr(10)"


@pytest.fixture
async def thief(ground: Ground) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(ground.database.app_url)
    yield connection
    await connection.close()


async def collected(begin: Begin, quorum: str = "all") -> Collected:
    made = begin(quorum)
    await made.grow(SIZE)
    await made.collector.step()
    return made


@pytest.mark.parametrize(
    "cosigned", ["NULL", NOTE, f"{NOTE} || chr(10)", f"{NOTE} || 'nonsense' || chr(10)", f"{NOTE} || {LINE} || 'x'", "'another note'", LINE]
)
async def test_attack_what_is_no_line_of_a_signature(begin: Begin, thief: Connection, cosigned: str) -> None:
    of = await collected(begin)
    with pytest.raises(asyncpg.CheckViolationError):
        await thief.fetchval(f"SELECT store_cosigned(1, {SIZE}, {cosigned})")
    assert await of.cosigned() == SIZE


async def test_attack_a_line_in_the_place_of_others(begin: Begin, thief: Connection) -> None:
    of = await collected(begin)
    assert await thief.fetchval(f"SELECT store_cosigned(1, {SIZE}, {NOTE} || {LINE})") is False
    assert await of.cosigned() == SIZE
    assert await thief.fetchval(f"SELECT store_cosigned(1, {SIZE}, cosigned || {LINE}) FROM log_checkpoints WHERE size = {SIZE}")
    assert await of.cosigned() == SIZE, "and one more hides none of them"


async def test_lines_of_an_earlier_policy_stay(begin: Begin, thief: Connection, witnesses: list[ServedWitness]) -> None:
    of = await collected(begin, "any")
    before = str(await thief.fetchval("SELECT cosigned FROM log_checkpoints"))
    later = begin("all")
    await later.collector.step()
    after = str(await thief.fetchval("SELECT cosigned FROM log_checkpoints"))
    assert after.startswith(before)
    assert await later.cosigned() == await of.cosigned() == SIZE


async def test_attack_a_line_that_cannot_be_read_below_a_new_checkpoint(begin: Begin, thief: Connection) -> None:
    """It spoils that one, and the next is cosigned."""
    of = begin("all")
    await of.grow(SIZE)
    assert await thief.fetchval(f"SELECT store_cosigned(1, {SIZE}, {NOTE} || chr(8212) || ' w9 A' || chr(10))")
    await of.collector.step()
    await of.grow(1)
    await of.collector.step()
    assert await of.cosigned() == SIZE + 1
