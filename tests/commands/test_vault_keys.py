"""What became of the keys that wrap all others is in the log: by names and counts, once."""

from commands.vault_keys import Moved, begin_rewrap, end_rewrap, note_destroyed
from domain.vault_keys import MonthDestroyed, RewrapBegun, Rewrapped
from tests.commands.world import SYSTEM, World
from tests.domain.examples import MONTH_KEK, ROOT_KEK


async def test_a_rewrap_that_was_broken_off_is_begun_once_and_ends_with_what_its_last_run_moved(world: World) -> None:
    await begin_rewrap(ROOT_KEK, SYSTEM, world.ports)
    await begin_rewrap(ROOT_KEK, SYSTEM, world.ports)
    for _ in range(2):
        await end_rewrap(ROOT_KEK, Moved(service_keys=22, subject_keys=7), SYSTEM, world.ports)
    assert len(world.happened(RewrapBegun)) == 1
    [ended] = world.happened(Rewrapped)
    assert isinstance(ended, Rewrapped)
    assert (ended.to, ended.service_keys, ended.month_keys, ended.subject_keys) == (ROOT_KEK, 22, 0, 7)


async def test_a_month_is_destroyed_once(world: World) -> None:
    for _ in range(2):
        await note_destroyed([MONTH_KEK], SYSTEM, world.ports)
    assert len(world.happened(MonthDestroyed)) == 1
