"""Whoever has the serving role's password stores tiles and checkpoints that fit nothing: none is signed, and the owner takes them back."""

from collections.abc import AsyncIterator, Sequence
from hashlib import sha256

import asyncpg
import pytest

from adapters.postgres import Connection
from domain.tree.hashing import perfect_root
from tests.domain import naive_tree
from tests.integrator import conftest as integrating
from tests.integrator.conftest import Ground, settle
from tests.tree.dated import moment
from tests.tree.unsigned import store_unsigned
from workers.audit.findings import Finding
from workers.audit.verify import Asked, verify
from workers.integrator.growing import LogChanged, TreeBroken
from workers.integrator.judging import Refused
from workers.regrowing import TakenBack, take_back

ground = integrating.ground
NONSENSE = [sha256(b"nonsense %d" % n).digest() for n in range(256)]


@pytest.fixture
async def thief(ground: Ground) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(ground.database.app_url)
    yield connection
    await connection.close()


async def store_nonsense(thief: Connection, number: int) -> None:
    """A tile that is ahead of the integrator, and agrees with itself."""
    await thief.execute(
        "SELECT store_tiles('{0}', ARRAY[$1::bigint], ARRAY[$2::bytea], ARRAY[$3::bytea], ARRAY[$4::timestamptz])",
        number, b"".join(NONSENSE), perfect_root(NONSENSE), moment(10_000),
    )  # fmt: skip


@pytest.mark.parametrize("published", [256, 300, 512])
async def test_no_nonsense_is_signed(ground: Ground, thief: Connection, published: int) -> None:
    await ground.grow(published)
    await settle(ground.integrator())
    await ground.grow(800 - published)
    await ground.integrator().close()
    await store_nonsense(thief, published // 256)
    for _ in range(2):  # the second one begins with what is stored
        with pytest.raises(TreeBroken):
            await settle(ground.integrator())
    assert (await ground.checkpoint()).size == published


@pytest.mark.parametrize("everything", [False, True])
@pytest.mark.parametrize("published", [256, 300])
async def test_the_owner_takes_it_back_and_all_goes_on(ground: Ground, thief: Connection, published: int, *, everything: bool) -> None:
    await ground.grow(published)
    await settle(ground.integrator())
    signed = (await ground.published()).note
    await ground.grow(800 - published)
    await store_nonsense(thief, 1)
    assert await store_unsigned(thief, 700)
    with pytest.raises(Refused):
        await settle(ground.integrator())

    seen = await regrow(ground, dry=True)
    assert (seen.known, seen.tiles, seen.checkpoints) == (published, 1, 1)
    with pytest.raises(Refused):
        await settle(ground.integrator())
    taken = await regrow(ground, everything=everything)
    assert (taken.checkpoints, taken.refused) == (1, None)

    await settle(ground.integrator())
    assert (await ground.checkpoint()).root == naive_tree.root(await ground.entries())
    ((kept,),) = await ground.links.read("SELECT note FROM log_checkpoints WHERE size = $1", published)
    assert kept == signed
    assert not await faults(ground)


async def test_what_was_signed_is_never_taken_back(ground: Ground) -> None:
    """A second place that is older than the database: the evidence of it stays."""
    await ground.grow(256)
    await settle(ground.integrator())
    old = await ground.published()
    await ground.grow(300)
    await settle(ground.integrator())
    ground.place._folder.joinpath("checkpoint/1").write_text(old.note)
    taken = await regrow(ground, everything=True)
    assert taken.checkpoints == 0
    assert taken.refused is not None
    assert "the second place is older (256) than what was published (556)" in taken.refused


async def test_nothing_is_taken_back_where_nobody_can_tell_what_was_signed(ground: Ground) -> None:
    await ground.grow(300)
    await settle(ground.integrator())
    signed = await ground.checkpoint()
    superuser = await asyncpg.connect(ground.database.superuser_url)
    await superuser.execute("SET session_replication_role = replica; DELETE FROM vault.log_keys")
    await superuser.close()
    with pytest.raises(Refused, match="no key of the log"):
        await regrow(ground, everything=True)
    assert await ground.checkpoint() == signed


async def test_what_is_not_there_any_more_is_not_taken_back(ground: Ground) -> None:
    await ground.begin_with(NONSENSE * 3)
    await ground.grow(300)
    await settle(ground.integrator())
    assert (await regrow(ground, everything=True)).tiles == 1
    await settle(ground.integrator())
    assert [row[0] for row in await ground.links.read("SELECT tile FROM log_tiles ORDER BY tile")] == [0, 1, 2, 3]


async def test_the_serving_role_takes_nothing_back(thief: Connection) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await thief.execute("SELECT take_back_tree(0, '{}', '{}')")


@pytest.mark.parametrize("more", [0, 1, 200])
async def test_a_running_integrator_begins_again(ground: Ground, more: int) -> None:
    """Whether or not anything comes that fills a tile."""
    await ground.grow(600)
    worker = ground.integrator()
    await settle(worker)
    await regrow(ground, everything=True)
    await ground.grow(more)
    with pytest.raises(LogChanged):
        await settle(worker)
    await settle(worker)
    assert (await ground.checkpoint()).root == naive_tree.root(await ground.entries())
    assert not await faults(ground)


async def faults(ground: Ground) -> Sequence[Finding]:
    """Of entries and tree; the histories of these streams are of no kind that Minos knows."""
    return (await verify(Asked(url=ground.database.app_url, second_place=ground.place, read_models=False))).findings


async def regrow(ground: Ground, *, everything: bool = False, dry: bool = False) -> TakenBack:
    return await take_back(ground.database.owner_url, ground.place, everything=everything, dry=dry)
