"""A log that was kept small is whole for whoever verifies it, with the database or without."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from adapters import master_key
from adapters.checkpoint_key import open_signer
from adapters.postgres_links import Links
from adapters.wrapping import Wrapping
from bench import fill
from minos_sdk.audit import LogKey, verify_bundle
from tests.audit.conftest import Audited
from tests.conftest import Database
from workers.audit.announced import Announced
from workers.audit.bundle import NotExported
from workers.audit.export import export
from workers.audit.findings import Kind
from workers.audit.reading import LogSource
from workers.integrator import integrator
from workers.projector import Projector
from workers.reaper import Reaper
from workers.retention.keeping import keep_small
from workers.retention.moving import attach, detach
from workers.sequencer import Sequencer

SIZE, PRUNED = 1_280, 512
"""Five full tiles; of each of 64 sessions with nine refreshes, those that another one overtook."""
SOON = datetime.now(UTC) + timedelta(days=1)
Late = Callable[[Callable[[Announced], Announced]], list[Announced]]


async def caught_up(log: Audited) -> None:
    """Sequence, project, hash and publish all there is, and sweep the journals."""
    sequencer, projector, grown = Sequencer(log.database.app_url), Projector(log.database.app_url), log.integrator()
    await sequencer.step()
    await projector.begin()
    for step in (projector.step, grown.step):
        while await step():
            pass
    for each in (sequencer, projector, grown):
        await each.close()
    reaper = Reaper(log.database.app_url)
    await reaper.step()
    await reaper.close()


@pytest.fixture
async def just_pruned(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Audited:
    """No checkpoint covers yet what the log says of it."""
    monkeypatch.setattr(integrator, "PUBLISH_SECONDS", 0.0)
    await fill.real_histories(database.owner_url, SIZE)
    links = Links(database.app_url)
    signer = await open_signer(links, Wrapping([master_key.of_bytes(b"\x01" * 32)]), "https://id.example.org")
    await links.close()
    log = Audited(database, tmp_path / "place", signer)
    await caught_up(log)
    await keep_small(database.owner_url, close_before=SOON, over_before=SOON)
    return log


@pytest.fixture
async def small(just_pruned: Audited) -> Audited:
    await caught_up(just_pruned)
    await keep_small(just_pruned.database.owner_url, close_before=SOON, over_before=SOON)
    await caught_up(just_pruned)
    return just_pruned


async def test_pruned_detached_and_attached_the_log_holds_with_and_without_its_database(small: Audited, tmp_path: Path) -> None:
    report = await small.verify()
    assert (report.findings, report.hashes_only) == ((), PRUNED)
    bundle = tmp_path / "bundle"
    assert (await export(small.database.app_url, bundle)).pruned == PRUNED
    offline = verify_bundle(bundle, keys=[LogKey.parse(small.signer.name.verifier(1).line())])
    assert offline.holds, offline.findings
    owner = await asyncpg.connect(small.database.owner_url)
    await detach(owner, 0, bundle)
    await caught_up(small)
    report = await small.verify()
    assert (report.findings, report.hashes_only) == ((), SIZE)
    await attach(owner, 0)
    await owner.close()
    await caught_up(small)
    report = await small.verify()
    assert (report.findings, report.hashes_only) == ((), PRUNED)


async def test_a_log_is_exported_once_a_checkpoint_covers_what_it_says_of_what_went(just_pruned: Audited, tmp_path: Path) -> None:
    with pytest.raises(NotExported, match="no checkpoint covers yet"):
        await export(just_pruned.database.app_url, tmp_path / "early")
    await caught_up(just_pruned)
    assert (await export(just_pruned.database.app_url, tmp_path / "bundle")).pruned == PRUNED


@pytest.fixture
def heard_late(monkeypatch: pytest.MonkeyPatch) -> Late:
    """Have what the log says of itself read once before the last of it was said."""

    def late(before: Callable[[Announced], Announced]) -> list[Announced]:
        real, heard = LogSource.announced, list[Announced]()

        async def announced(self: LogSource) -> Announced:
            said = await real(self)
            heard.append(said if heard else before(said))
            return heard[-1]

        monkeypatch.setattr(LogSource, "announced", announced)
        return heard

    return late


@pytest.mark.parametrize(
    "before",
    [lambda said: replace(said, pruned=()), lambda said: replace(said, pruned=[(within, count - 1) for within, count in said.pruned])],
    ids=["for the first time", "once more"],
)
async def test_a_partition_pruned_while_the_log_is_verified_is_no_finding(
    small: Audited, heard_late: Late, before: Callable[[Announced], Announced]
) -> None:
    heard = heard_late(before)
    report = await small.verify(read_models=False)
    assert (report.findings, report.hashes_only) == ((), PRUNED)
    assert len(heard) > 1
    assert heard[0] != heard[1]


async def test_a_partition_moved_away_while_the_log_is_verified_is_no_finding(small: Audited, heard_late: Late, tmp_path: Path) -> None:
    await export(small.database.app_url, tmp_path / "bundle")
    owner = await asyncpg.connect(small.database.owner_url)
    await detach(owner, 0, tmp_path / "bundle")
    await owner.close()
    await caught_up(small)
    heard_late(lambda said: replace(said, detached=()))
    report = await small.verify()
    assert (report.findings, report.hashes_only) == ((), SIZE)


FIRST = "(SELECT append_id FROM event_log WHERE {} AND payload IS NOT NULL AND position < {} ORDER BY position LIMIT 1)"


@pytest.mark.parametrize(
    ("event", "disguise"),
    [("type = 'session.token_issued.v1'", ""), ("type LIKE 'user.%'", ", type = 'session.token_issued.v1'")],
    ids=["of the same kind", "of another kind"],
)
async def test_attack_an_event_hidden_among_those_that_were_pruned(small: Audited, event: str, disguise: str) -> None:
    """What is left of a pruned event is under no hash any more: whoever owns the database can say of any event that it was one."""
    part = await small.value("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'events'::regclass ORDER BY 1 LIMIT 1")
    await small.as_owner(
        f"ALTER TABLE {part} DROP CONSTRAINT says_something",
        f"UPDATE events SET payload = ''{disguise} WHERE append_id = {FIRST.format(event, SIZE)}",
    )
    report = await small.verify(read_models=False)
    assert [finding.kind for finding in report.findings] == [Kind.ENTRY_WITHHELD]
    assert report.hashes_only == PRUNED + 1
