"""After `open-epoch` all goes on, and what was published before is shown to be the beginning of it, as far as it is."""

import asyncio

import asyncpg
import pytest

from adapters import log_epochs, published
from adapters.checkpoint_key import verified
from adapters.second_place import PlaceAway, PlaceChanged
from domain.log import EpochReason, LastPublished, Origin, Root
from domain.tree.checkpoint import Checkpoint, read_checkpoint
from domain.tree.note import read_note
from domain.tree.proofs import ProofInvalid, check_consistency
from tests.domain import naive_tree
from tests.integrator.conftest import Ground, Rewind, settle
from tests.tree.dated import BEGAN
from workers.epochs import CannotOpen, Opened, open_epoch
from workers.integrator.judging import Refused
from workers.sequencer import Sequencer


async def open_next(ground: Ground, reason: EpochReason = EpochReason.RESTORED) -> Opened:
    return await open_epoch(ground.database.owner_url, ground.place, reason)


def cited(checkpoint: Checkpoint) -> LastPublished:
    return LastPublished(origin=Origin(checkpoint.origin), size=checkpoint.size, root=Root(checkpoint.encoded_root))


async def old_checkpoints(ground: Ground) -> list[Checkpoint]:
    rows = await ground.links.read("SELECT note FROM log_checkpoints WHERE epoch = 1 ORDER BY size")
    return [read_checkpoint(read_note(row[0]).text) for row in rows]


async def is_beginning(ground: Ground, old: Checkpoint, new: Checkpoint) -> bool:
    try:
        path = await ground.tree.consistency(old.size, new.size)
        check_consistency(path, first=old.size, second=new.size, first_root=old.root, second_root=new.root)
    except ProofInvalid:
        return False
    return True


async def test_a_restored_log_goes_on_under_another_name(ground: Ground, backup: Rewind) -> None:
    for more in (30, 240, 10):
        await ground.grow(more)
        await settle(ground.integrator())
    restored = await backup()
    await ground.grow(7)
    await settle(ground.integrator())
    lost = await ground.checkpoint()
    await restored.grow(3)
    with pytest.raises(Refused):
        await settle(restored.integrator())

    opened = await open_next(restored)
    assert (opened.size, opened.epoch) == (284, 2)
    assert (opened.event.kept, opened.event.agreed, opened.event.earlier) == (283, 280, cited(lost))
    await restored.grow(5)
    await settle(restored.integrator())

    new = await restored.checkpoint(epoch=2)
    assert (new.origin, new.size) == ("id.example.org/log/2", 289)
    assert new.root == naive_tree.root(await restored.entries())
    assert verified((await restored.published(2)).note, restored.signer.name.verifier(2)) == new
    old = await old_checkpoints(restored)
    assert [each.size for each in old] == [30, 270, 280]
    assert [await is_beginning(restored, each, new) for each in old] == [True, True, True]
    assert not await is_beginning(restored, lost, new), "what was lost is not claimed to be there"


async def test_the_first_new_entry_says_so_and_no_writer_comes_between(ground: Ground) -> None:
    await ground.grow(20)
    await settle(ground.integrator())
    stop = asyncio.Event()

    async def write() -> None:
        while not stop.is_set():
            await ground.grow(1)

    writers = [asyncio.create_task(write()) for _ in range(2)]
    await asyncio.sleep(0.1)
    opened = await open_next(ground)
    await ground.grow(1)
    stop.set()
    await asyncio.gather(*writers)
    rows = await ground.links.read("SELECT type FROM read_log($1, 2)", opened.event.kept - 1)
    assert [row[0] for row in rows] == ["test.happened.v1", "log.epoch_opened.v1"]
    assert opened.size == opened.event.kept + 1
    assert opened.event == await log_epochs.opened(ground.links, 2)
    await settle(ground.integrator())


async def test_what_had_no_position_gets_one_before_it(ground: Ground) -> None:
    await ground.grow(5)
    owner = await asyncpg.connect(ground.database.owner_url)
    await owner.execute(
        "INSERT INTO events (stream, version, type, slot, event_id, actor, command_id, correlation_id, payload) "
        "SELECT 'late-' || n, 1, 'test.happened.v1', 0, gen_random_uuid(), 'system', gen_random_uuid(), gen_random_uuid(), '{}' "
        "FROM generate_series(1, 3) n"
    )
    await owner.close()
    opened = await open_next(ground)
    assert (opened.added, opened.size, opened.event.kept) == (4, 9, 8)
    sequencer = Sequencer(ground.database.app_url)
    step = await sequencer.step()
    await sequencer.close()
    assert step is not None
    assert (step.added, step.size, step.epoch) == (0, 9, 2)


async def test_of_a_fork_only_what_both_have_is_agreed(ground: Ground, backup: Rewind) -> None:
    await ground.grow(30)
    await settle(ground.integrator())
    fork = await backup()
    await ground.grow(10)
    await settle(ground.integrator())
    await fork.grow(10)
    with pytest.raises(Refused, match="not those that were published"):
        await settle(fork.integrator())
    opened = await open_next(fork, EpochReason.FORK)
    assert (opened.event.kept, opened.event.agreed) == (40, 30)
    await settle(fork.integrator())


@pytest.mark.parametrize("changed", [1, 17, 61])
async def test_a_rewritten_event_is_agreed_with_by_no_checkpoint_after_it(ground: Ground, changed: int) -> None:
    for _ in range(6):
        await ground.grow(10)
        await settle(ground.integrator())
    await ground.as_owner(f"UPDATE events SET actor = 'nobody' WHERE append_id = (SELECT min(append_id) + {changed - 1} FROM events)")
    assert (await open_next(ground, EpochReason.FORK)).event.agreed == (changed - 1) // 10 * 10


async def test_a_backup_of_the_first_epoch_does_not_open_the_second_again(ground: Ground, backup: Rewind) -> None:
    """Else two histories would have one name, and consumers who know positions of the second take them for those of the other."""
    await ground.grow(10)
    await settle(ground.integrator())
    restored = await backup()
    await open_next(ground)
    await settle(ground.integrator())
    with pytest.raises(Refused, match="epoch 2 of the log was published"):
        await settle(restored.integrator())
    opened = await open_next(restored)
    assert opened.epoch == 3
    assert opened.event.earlier == cited(await ground.checkpoint(epoch=2))
    await settle(restored.integrator())
    assert (await restored.checkpoint(epoch=3)).origin == "id.example.org/log/3"


async def test_a_server_that_still_has_the_old_database_signs_nothing_more(ground: Ground, backup: Rewind) -> None:
    await ground.grow(10)
    await settle(ground.integrator())
    restored = await backup()
    old = ground.integrator()
    await settle(old)
    await open_next(restored)
    await ground.grow(1)
    with pytest.raises(PlaceChanged):
        await settle(old)
    with pytest.raises(Refused, match="was closed"):
        await settle(old)


async def test_a_cut_short_opening_is_opened_again(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    await ground.grow(10)
    await settle(ground.integrator())
    close = published.close_epoch

    async def closed_and_gone(*arguments: object) -> None:
        await close(*arguments)  # type: ignore[arg-type]  # as they came
        raise PlaceAway("no answer")

    with monkeypatch.context() as patch:
        patch.setattr(published, "close_epoch", closed_and_gone)
        with pytest.raises(PlaceAway):
            await open_next(ground)
    with pytest.raises(Refused, match="did not come to its end"):
        await settle(ground.integrator())
    assert (await open_next(ground)).epoch == 2
    await settle(ground.integrator())


async def test_an_integrator_that_publishes_meanwhile_is_cited_too(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    await ground.grow(10)
    worker = ground.integrator()
    await settle(worker)
    close, tries = published.close_epoch, 0

    async def late(*arguments: object) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise PlaceChanged
        await close(*arguments)  # type: ignore[arg-type]  # as they came

    monkeypatch.setattr(published, "close_epoch", late)
    opened = await open_next(ground)
    assert (tries, opened.epoch, opened.size) == (2, 2, 11)


async def test_an_integrator_that_runs_goes_on_with_the_new_epoch(ground: Ground) -> None:
    await ground.grow(10)
    worker = ground.integrator()
    stop = asyncio.Event()
    running = asyncio.create_task(worker.run(stop))
    async with asyncio.timeout(10):
        while await ground.tree.newest(1) is None:
            await asyncio.sleep(0.01)
        await open_next(ground)
        worker.hint.set()
        while await ground.tree.newest(2) is None:
            await asyncio.sleep(0.01)
    stop.set()
    await running
    assert not [seen.halted for seen in ground.seen if seen.halted]


async def test_an_epoch_that_cites_something_else_than_what_was_published_is_refused(ground: Ground) -> None:
    await ground.grow(10)
    await settle(ground.integrator())
    await open_next(ground)
    last = await ground.published()
    forged = ground.signer.sign(Checkpoint(origin="id.example.org/log", size=9, root=bytes(32)), 1)
    await ground.place.put("checkpoint/1", f"closed\n{forged}".encode(), expect=last.version)
    with pytest.raises(Refused, match="opened with another checkpoint"):
        await settle(ground.integrator())


async def test_what_is_no_checkpoint_is_for_an_operator_to_look_at(ground: Ground) -> None:
    await ground.grow(3)
    await ground.place.put("checkpoint/1", b"nonsense", expect=None)
    with pytest.raises(CannotOpen, match="no checkpoint"):
        await open_next(ground)
    assert (await ground.links.read("SELECT epoch FROM log_head"))[0][0] == 1


async def test_of_a_log_of_which_nothing_was_published_nothing_is_cited(ground: Ground) -> None:
    opened = await open_next(ground)
    assert (opened.size, opened.event.kept, opened.event.agreed, opened.event.earlier) == (1, 0, 0, None)
    await settle(ground.integrator())
    assert (await ground.checkpoint(epoch=2)).size == 1
    assert opened.event.at > BEGAN
