"""An old backup brings nobody back: whoever was erased since is erased again before anything is served (threats.md 17)."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import asyncpg
import pytest
from msgspec.structs import replace

from adapters.embedded_postgres import PostgresServer
from adapters.ports import open_ports
from adapters.second_place import open_second_place
from adapters.secret import Secret
from cli.erased_again import erase_again
from commands.erase_me import ask_for_erasure
from domain.erasure import Completed
from domain.errors import InvalidCredentials
from domain.log import EpochReason
from domain.user import Active, Erased
from tests.conftest import Database, database_of
from tests.mail.conftest import Office
from tests.mail.test_deleted_accounts import projected
from tests.mail.test_erased import erased, left_of, settled, state_of
from tests.store.test_restore import run
from workers.epochs import open_epoch
from workers.sequencer import Sequencer


@pytest.fixture
async def restored(postgres_server: PostgresServer) -> AsyncIterator[Database]:
    """An empty database, for a backup to be brought into."""
    superuser = await asyncpg.connect(postgres_server.superuser_url)
    await superuser.execute("CREATE DATABASE restored OWNER minos_owner")
    yield database_of(postgres_server, "restored")
    await superuser.execute("DROP DATABASE restored WITH (FORCE)")
    await superuser.close()


async def test_a_restored_backup_brings_nobody_back_and_the_service_goes_on(
    open_office: Callable[..., Awaitable[Office]], restored: Database, tmp_path: Path
) -> None:
    office = await open_office(erasure_wait=0)
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
