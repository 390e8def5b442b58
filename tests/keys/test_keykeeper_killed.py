"""A keykeeper killed after every single write, while a month is closed and rewrapped, and while its key is destroyed: nothing is lost."""

from contextlib import suppress
from typing import Any

import pytest

from adapters import rewrapping
from adapters.months import first_of
from adapters.postgres_links import Links
from adapters.second_place import FolderPlace
from domain.event import Erased
from domain.ids import StreamName
from tests.keys import test_months
from tests.keys.test_months import ADA, DAYS, NOVEMBER, World, opened, restores, seal

PEOPLE = [ADA, *(StreamName(f"user-{number}") for number in range(4))]
world = test_months.world


class Killed(BaseException):
    """What no handler of errors sees."""


async def killed_after_each_write(world: World, monkeypatch: pytest.MonkeyPatch) -> int:
    """Let one pass after the other die one write later than the one before, until one comes to its end; give how many died."""
    for deaths in range(60):
        with monkeypatch.context() as patch, suppress(Killed):
            _die(patch, after=deaths)
            await world.keep()
            return deaths
    raise AssertionError("no pass comes to its end")


def _die(patch: pytest.MonkeyPatch, *, after: int) -> None:
    left = after
    for of, name in ((Links, "run"), (FolderPlace, "put")):
        write = getattr(of, name)

        async def writes(*arguments: Any, _write: Any = write, **named: Any) -> Any:
            nonlocal left
            done = await _write(*arguments, **named)
            left -= 1
            if left < 0:
                raise Killed
            return done

        patch.setattr(of, name, writes)


async def test_killed_after_every_write_a_month_is_rewrapped_and_goes_all_the_same(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rewrapping, "BATCH", 2)
    vault = await world.vault()
    sealed = {person: await seal(vault, str(person), person) for person in PEOPLE}
    backup = await world.owner.fetch("SELECT * FROM vault.subject_keys WHERE subject = $1", ADA)

    async def all_open() -> bool:
        vault = await world.vault()
        return [await opened(vault, sealed[person], person) for person in PEOPLE] == list(map(str, PEOPLE))

    await world.days(DAYS)
    assert first_of(world.clock()) > NOVEMBER
    assert await killed_after_each_write(world, monkeypatch) > len(PEOPLE) / rewrapping.BATCH, "in the middle of the rewrap, too"
    assert {kek_id[:10] for kek_id in await world.keks_of()} == {f"mo-{first_of(world.clock()):%Y-%m}"}
    assert await all_open()
    assert await restores(world, backup, sealed[ADA]) == str(ADA)
    await world.days(0.1)
    await world.keep()
    await world.days(DAYS + 1)
    assert await killed_after_each_write(world, monkeypatch) > 2
    assert NOVEMBER not in {month.first_day for month in (await world.process()).months}
    assert await all_open()
    assert await restores(world, backup, sealed[ADA]) == Erased(), "an older backup opens nothing any more"
