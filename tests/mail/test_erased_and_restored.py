"""An old backup brings nobody back: whoever was erased since is erased again before anything is served (threats.md 17)."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from msgspec.structs import replace

from adapters.embedded_postgres import PostgresServer
from adapters.ports import open_ports
from adapters.second_place import PlaceAway, open_second_place
from adapters.secret import Secret
from adapters.settings import Settings
from api.erased_again import erase_again as opened_by_the_api
from cli.erased_again import erased_again
from cli.erased_list_checks import erased_list
from cli.erasure_checks import erasures_end
from cli.log import go_on
from commands.erase_me import ask_for_erasure
from commands.ports import ErasedEntry
from domain.erasure import Completed
from domain.errors import InvalidCredentials
from domain.ids import UserId
from domain.log import EpochReason
from domain.user import Active, Erased
from domain.user_events import AskedBy
from tests.conftest import Database, database_of
from tests.domain.examples import NOW
from tests.mail.conftest import Office
from tests.mail.listed import list_of
from tests.mail.test_deleted_accounts import projected
from tests.mail.test_erased import Dying, Killed, erased, left_of, settled, state_of
from tests.store.test_restore import run
from workers.epochs import open_epoch
from workers.sequencer import Sequencer
from workers.timekeeper import Timekeeper


@pytest.fixture
async def restored(postgres_server: PostgresServer) -> AsyncIterator[Database]:
    """An empty database, for a backup to be brought into."""
    superuser = await asyncpg.connect(postgres_server.superuser_url)
    await superuser.execute("CREATE DATABASE restored OWNER minos_owner")
    yield database_of(postgres_server, "restored")
    await superuser.execute("DROP DATABASE restored WITH (FORCE)")
    await superuser.close()


async def serving(open_office: Callable[..., Awaitable[Office]]) -> Office:
    """One whose API has started: before that nobody is there to be erased."""
    office = await open_office(erasure_wait=0)
    await opened_by_the_api(office.settings, office.opened)
    return office


async def test_a_restored_backup_brings_nobody_back_and_the_service_goes_on(
    open_office: Callable[..., Awaitable[Office]], restored: Database, tmp_path: Path
) -> None:
    office = await serving(open_office)
    ada, bob = await settled(office), await office.known("bob@example.org")
    await projected(office)
    await run("pg_dump", "--format=custom", f"--file={tmp_path / 'backup'}", office.database.superuser_url)
    await ask_for_erasure(await office.ctx(await office.sign_in()), office.ports)
    await erased(office, ada)
    await run("pg_restore", f"--dbname={restored.superuser_url}", "--exit-on-error", str(tmp_path / "backup"))

    settings = replace(office.settings, database_url=Secret(restored.app_url))
    async with open_ports(settings) as opened:
        later = Office(settings, restored, opened, Sequencer(restored.app_url), office.owner, office.received, office.post)
        assert isinstance((await state_of(later, ada))[0], Active), "she is back, and nothing has been served yet"
        await open_epoch(restored.owner_url, open_second_place(settings), EpochReason.RESTORED)
        assert await erase_again(settings) == 1
        assert isinstance((await state_of(later, ada))[0], Erased)
        with pytest.raises(InvalidCredentials):
            await later.sign_in()
        left = await left_of(later, ada)
        assert (left.keys, left.fields_that_open) == (0, 0)
        assert left.fields > 0

        assert await erase_again(settings) == 0
        await later.sign_in("bob@example.org")
        assert (await state_of(later, bob))[0] == (await state_of(office, bob))[0]
        sent = len(office.subjects())
        await erased(later, ada)
        assert (await left_of(later, ada)).is_nothing
        assert len(office.subjects()) == sent, "whoever is erased has no address to write to"
        assert isinstance((await state_of(later, ada))[1], Completed)
        assert await later.register() != ada
        await later.sign_in()
        for mailer in later.mailers:
            await mailer.close()
        await later.sequencer.close()


async def erase_again(settings: Settings) -> int:
    """As `minos log open-epoch` does behind it."""
    place = open_second_place(settings)
    async with erased_again(settings, place) as again:
        return await again.erase()


def away(settings: Settings, tmp_path: Path) -> Settings:
    """Where the second place was is something else."""
    (tmp_path / "no-folder").write_text("")
    return replace(settings, second_place=str(tmp_path / "no-folder" / "place"))


async def test_nothing_is_served_from_a_restored_database_before_the_list_of_the_erased_was_read(
    open_office: Callable[..., Awaitable[Office]], restored: Database, tmp_path: Path
) -> None:
    office = await open_office()
    with pytest.raises(PlaceAway):
        await opened_by_the_api(away(office.settings, tmp_path), office.opened)
    await opened_by_the_api(office.settings, office.opened)
    await opened_by_the_api(away(office.settings, tmp_path), office.opened)  # an ordinary start waits for nothing
    await office.owner.execute("INSERT INTO vault.erased_subjects VALUES ('user-somebody')")
    await run("pg_dump", "--format=custom", f"--file={tmp_path / 'backup'}", office.database.superuser_url)
    await run("pg_restore", f"--dbname={restored.superuser_url}", "--exit-on-error", str(tmp_path / "backup"))
    settings = replace(office.settings, database_url=Secret(restored.app_url))
    async with open_ports(settings) as opened:
        with pytest.raises(PlaceAway):
            await opened_by_the_api(away(settings, tmp_path), opened)
        with pytest.raises(PlaceAway, match="is this the second place"):
            await opened_by_the_api(settings, opened)
        place = open_second_place(settings)
        await place.put("erased/no-id", b"", expect=None)
        entry = ErasedEntry(user_id=UserId(UUID(int=7)), asked_by=AskedBy.LAW, begun_at=NOW, names_until=None, invitations=())
        await (await list_of(settings, opened)).enter(entry)
        await opened_by_the_api(settings, opened)
        await opened_by_the_api(away(settings, tmp_path), opened)
        await open_epoch(restored.owner_url, place, EpochReason.RESTORED)
        with pytest.raises(PlaceAway):
            await opened_by_the_api(away(settings, tmp_path), opened)
        lost = replace(settings, second_place=str(tmp_path / "another-place"))
        with pytest.raises(PlaceAway):
            await opened_by_the_api(lost, opened)
        assert await erase_again(lost) == 0, "an operator who opens an epoch without the old place is believed"
        await opened_by_the_api(lost, opened)


async def test_whoever_came_back_while_the_second_place_was_away_goes_once_it_is_there(
    open_office: Callable[..., Awaitable[Office]], restored: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy of the files, put back: the API cannot tell, and serves; the worker reads the list as soon as it can."""
    office = await serving(open_office)
    ada = await settled(office)
    await projected(office)
    await run("pg_dump", "--format=custom", f"--file={tmp_path / 'backup'}", office.database.superuser_url)
    await ask_for_erasure(await office.ctx(await office.sign_in()), office.ports)
    await erased(office, ada)
    await run("pg_restore", f"--dbname={restored.superuser_url}", "--exit-on-error", str(tmp_path / "backup"))
    settings = replace(office.settings, database_url=Secret(restored.app_url))
    async with open_ports(settings) as opened:
        later = Office(settings, restored, opened, Sequencer(restored.app_url), office.owner, office.received, office.post)
        gone: list[None] = []
        keeper = Timekeeper(away(settings, tmp_path), destroyed=lambda: gone.append(None))
        await keeper.step()
        assert isinstance((await state_of(later, ada))[0], Active)
        keeper._settings = settings
        with monkeypatch.context() as patch, suppress(Killed):
            Dying(0).after(patch, "PostgresEventStore.append")
            await keeper.step()
        assert (await left_of(later, ada)).keys > 0, "killed after the first of its writes"
        await keeper.step()
        assert isinstance((await state_of(later, ada))[0], Erased)
        assert gone, "whoever remembers keys is told"
        assert (await left_of(later, ada)).keys == 0
        await later.sequencer.close()


async def emptied(settings: Settings) -> None:
    folder = Path(settings.second_place)
    await asyncio.to_thread(shutil.rmtree, folder / "erased")
    assert list(await open_second_place(settings).names("erased/")) == []


async def damaged(settings: Settings) -> None:
    for entry in (Path(settings.second_place) / "erased").iterdir():
        entry.write_bytes(entry.read_bytes()[:-1])


@pytest.mark.parametrize("spoil", [emptied, damaged], ids=["lost", "damaged"])
async def test_an_epoch_puts_back_on_the_list_whom_the_second_place_has_lost(
    open_office: Callable[..., Awaitable[Office]], restored: Database, tmp_path: Path, spoil: Callable[[Settings], Awaitable[None]]
) -> None:
    """Else the next backup from before them would bring them back, and nobody would know."""
    office = await serving(open_office)
    ada = await settled(office)
    await projected(office)
    await run("pg_dump", "--format=custom", f"--file={tmp_path / 'backup'}", office.database.superuser_url)
    await ask_for_erasure(await office.ctx(await office.sign_in()), office.ports)
    await erased(office, ada)
    listed = await list_of(office.settings, office.opened)
    before = await listed.get(ada)
    assert before is not None
    await spoil(office.settings)
    await go_on(office.settings, office.database.owner_url, open_second_place(office.settings), EpochReason.OTHER)
    assert await listed.get(ada) == replace(before, names_until=None), "as it was written first, but for names that are free by now"

    await run("pg_restore", f"--dbname={restored.superuser_url}", "--exit-on-error", str(tmp_path / "backup"))
    settings = replace(office.settings, database_url=Secret(restored.app_url))
    async with open_ports(settings) as opened:
        later = Office(settings, restored, opened, Sequencer(restored.app_url), office.owner, office.received, office.post)
        assert isinstance((await state_of(later, ada))[0], Active)
        await go_on(settings, restored.owner_url, open_second_place(settings), EpochReason.RESTORED)
        assert isinstance((await state_of(later, ada))[0], Erased)
        assert (await left_of(later, ada)).keys == 0
        await later.sequencer.close()


async def test_the_timekeeper_puts_back_whom_the_list_has_lost(
    open_office: Callable[..., Awaitable[Office]], monkeypatch: pytest.MonkeyPatch
) -> None:
    office = await serving(open_office)
    ada = await settled(office)
    await ask_for_erasure(await office.ctx(await office.sign_in()), office.ports)
    await erased(office, ada)
    listed = await list_of(office.settings, office.opened)
    (finding,) = await erased_list(office.settings)
    assert finding.ok, finding.detail
    await emptied(office.settings)
    (finding,) = await erased_list(office.settings)
    assert (finding.ok, finding.detail[:30]) == (False, "1 were erased and are not on i")
    keeper = Timekeeper(office.settings)
    await keeper.step()
    assert await listed.ids() == [ada]

    await emptied(office.settings)
    await keeper.step()
    assert await listed.ids() == [], "it does not look each minute"
    monkeypatch.setattr("workers.listed_again.AGAIN_SECONDS", 0.0)
    await keeper.step()
    assert await listed.ids() == [ada]


async def test_the_doctor_tells_of_erasures_that_do_not_end_and_of_keys_that_came_again(
    open_office: Callable[..., Awaitable[Office]], monkeypatch: pytest.MonkeyPatch
) -> None:
    office = await open_office(erasure_wait=0)
    ada = await settled(office)
    await ask_for_erasure(await office.ctx(await office.sign_in()), office.ports)
    await projected(office)
    await Timekeeper(office.settings).step()  # begun; the farewell waits
    await projected(office)
    (finding,) = await erasures_end(office.settings)
    assert finding.ok, finding.detail
    monkeypatch.setattr("cli.erasure_checks.LATE_SECONDS", -60)
    (finding,) = await erasures_end(office.settings)
    assert (finding.ok, finding.detail[:30]) == (False, "1 begun more than a day ago an")
    await erased(office, ada)
    await projected(office)
    (finding,) = await erasures_end(office.settings)
    assert finding.ok, finding.detail
    superuser = await asyncpg.connect(office.database.superuser_url)
    await superuser.execute("SET session_replication_role = replica")  # passes the trigger by
    await superuser.execute(
        "INSERT INTO vault.subject_keys (key_id, subject, seal_class, generation, wrapped, kek_id)"
        " VALUES (gen_random_uuid(), $1, 'profile', 9, '', 'x')", f"user-{ada}",
    )  # fmt: skip
    await superuser.close()
    (finding,) = await erasures_end(office.settings)
    assert (finding.ok, "1 keys of people" in finding.detail) == (False, True)
