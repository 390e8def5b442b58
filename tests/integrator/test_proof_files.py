"""A file about one event convinces whoever has the log's key, and is made of nothing that does not hold."""

from base64 import b64encode

import pytest

from adapters.log_reader import LogBroken, LogReader
from adapters.proof_files import position_of, proof_file
from domain.errors import NoSuchEvent, NotYetProved
from domain.ids import EventId
from minos_sdk.audit import NotProved, verify_proof
from minos_sdk.audit.notes import LogKey
from tests.integrator.conftest import Ground, settle

ENTRIES = 300


@pytest.fixture
async def proved(ground: Ground) -> Ground:
    await ground.grow(ENTRIES)
    await settle(ground.integrator())
    return ground


def key(ground: Ground) -> LogKey:
    return LogKey.parse(ground.signer.name.verifier(1).line())


@pytest.mark.parametrize("position", [1, 256, 257, ENTRIES])
async def test_a_third_party_is_convinced_by_the_file_and_the_key(proved: Ground, position: int) -> None:
    made = await proof_file(proved.links, position)
    found = verify_proof(made.text.encode(), [key(proved)])
    assert (found.position, found.checkpoint.size) == (position, ENTRIES)
    assert [found.entry] == list(await proved.entries(after=position - 1))[:1]


async def test_attack_proof_handed_on_with_another_event(proved: Ground) -> None:
    mine, other = await proof_file(proved.links, 7), (await proved.entries(after=7))[0]
    lines = mine.text.split("\n")
    lines[1] = f"extra {b64encode(other).decode()}"
    with pytest.raises(NotProved):
        verify_proof("\n".join(lines).encode(), [key(proved)])
    with pytest.raises(NotProved):
        verify_proof(mine.text.replace("index 6", "index 7").encode(), [key(proved)])


async def test_attack_event_altered_by_whoever_owns_the_database_and_proved_as_it_is_now(proved: Ground) -> None:
    await proved.as_owner("UPDATE events SET payload = '{\"altered\":1}' WHERE append_id = 9")
    with pytest.raises(LogBroken, match="position 9"):
        await proof_file(proved.links, 9)
    await proved.as_owner("UPDATE events SET actor = 'user:nobody' WHERE append_id = 299")
    with pytest.raises(LogBroken, match="position 299"):
        await proof_file(proved.links, 299)


async def test_what_is_not_in_a_checkpoint_yet_or_not_in_the_log_is_not_proved(proved: Ground) -> None:
    with pytest.raises(NoSuchEvent):
        await proof_file(proved.links, ENTRIES + 1)
    await proved.as_owner("DELETE FROM log_checkpoints")
    with pytest.raises(NotYetProved):
        await proof_file(proved.links, 1)


async def test_of_a_pruned_event_the_hash_is_proved_and_the_entry_comes_from_elsewhere(proved: Ground) -> None:
    [entry, *_] = await proved.entries(after=4)
    await proved.as_owner("ALTER TABLE events_p000000 DROP CONSTRAINT says_something", "UPDATE events SET payload = '' WHERE append_id = 5")
    made = await proof_file(proved.links, 5)
    assert not made.has_entry
    assert verify_proof(made.text.encode(), [key(proved)], entry=entry).position == 5
    with pytest.raises(NotProved):
        verify_proof(made.text.encode(), [key(proved)])


async def test_an_event_is_found_by_its_id(proved: Ground) -> None:
    reader = LogReader(proved.database.app_url)
    [event] = (await reader.read(41, 1)).events
    await reader.close()
    assert await position_of(proved.links, event.event_id) == 42
    with pytest.raises(NoSuchEvent):
        await position_of(proved.links, EventId(event.command_id))
