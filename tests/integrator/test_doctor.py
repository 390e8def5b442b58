"""What `minos doctor` says of the audit tree."""

import pytest

from adapters.secret import Secret
from adapters.settings import Settings
from cli import tree_checks
from cli.finding import Finding
from tests.integrator.conftest import Ground, settle


async def findings(ground: Ground) -> dict[str, Finding]:
    settings = Settings(database_url=Secret(ground.database.app_url), second_place=str(ground.place._folder))
    return {finding.check: finding async for finding in tree_checks.tree(settings)}


async def test_a_tree_that_keeps_up_is_well(ground: Ground) -> None:
    await ground.grow(5)
    await settle(ground.integrator())
    found = await findings(ground)
    assert all(finding.ok for finding in found.values())
    assert "continues what was published, 5 events" in found["second place"].detail
    assert "on the machine of the database" in found["second place"].detail
    assert "5 events are under one" in found["checkpoints"].detail


async def test_events_under_no_checkpoint_are_told_of(ground: Ground) -> None:
    """The ones of these tests were recorded months ago."""
    await ground.grow(5)
    found = await findings(ground)
    assert not found["checkpoints"].ok
    assert "does the integrator run" in found["checkpoints"].detail


@pytest.mark.parametrize(
    ("change", "words"),
    [("UPDATE events SET actor = 'nobody'", "not those that were published"), ("UPDATE log_head SET size = 4", "a backup")],
)
async def test_a_log_that_does_not_continue_what_was_published_is_told_of(ground: Ground, change: str, words: str) -> None:
    await ground.grow(5)
    await settle(ground.integrator())
    await ground.as_owner(change)
    found = await findings(ground)
    assert not found["second place"].ok
    assert words in found["second place"].detail


async def test_a_place_that_cannot_be_read_is_told_of(ground: Ground) -> None:
    ground.place._folder.write_bytes(b"a file")
    found = await findings(ground)
    assert not found["second place"].ok
