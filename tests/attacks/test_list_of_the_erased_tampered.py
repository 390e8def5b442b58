"""Somebody who can write into the second place, and has no key of ours, has nobody erased and hides nobody who was."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import msgspec
import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from adapters.erased_list import ErasedList
from adapters.second_place import open_second_place
from api.erased_again import ListRefused, erase_again
from cli.erased_again import EntriesRefused
from cli.erased_list_checks import erased_list
from cli.log import go_on
from commands.ports import EntryRefused, ErasedEntry
from domain.ids import UserId
from domain.log import EpochReason
from domain.user import Active, Erased
from domain.user_events import AskedBy
from tests.attacks.mailed import certificate, database, furnished, open_office, start
from tests.domain.examples import NOW
from tests.integrator.conftest import Ground, ground
from tests.mail.conftest import Office
from tests.mail.listed import list_of
from tests.mail.test_erased import state_of
from workers.timekeeper import Timekeeper

__all__ = ["certificate", "database", "furnished", "ground", "open_office", "start"]

ADA, BOB = UserId(UUID(int=1)), UserId(UUID(int=2))


def entry(user_id: UserId) -> ErasedEntry:
    return ErasedEntry(user_id=user_id, asked_by=AskedBy.LAW, begun_at=NOW, names_until=None, invitations=())


def path_of(user_id: UserId) -> str:
    return f"erased/{user_id}"


async def genuine(listed: ErasedList, ground: Ground, user_id: UserId) -> bytes:
    await listed.enter(entry(user_id))
    kept = await ground.place.get(path_of(user_id))
    assert kept is not None
    return kept.data


def unsigned(_: bytes) -> bytes:
    return msgspec.json.encode(entry(ADA))


def signed_by_none(genuine: bytes) -> bytes:
    return msgspec.json.encode(msgspec.json.decode(genuine) | {"mac": ""})


def of_another_log(genuine: bytes) -> bytes:
    return genuine.replace(b"id.example.org", b"id.example.com")


def of_later_names(genuine: bytes) -> bytes:
    return genuine.replace(b'"names_until":null', b'"names_until":"2999-01-01T00:00:00Z"')


def no_json(_: bytes) -> bytes:
    return b"\xff\xfe"


@pytest.mark.parametrize("forge", [unsigned, signed_by_none, of_another_log, of_later_names, no_json], ids=lambda forge: forge.__name__)
async def test_attack_an_entry_of_somebody_elses_making(ground: Ground, forge: Callable[[bytes], bytes]) -> None:
    """It is refused by its name, and gives way to ours."""
    listed = ErasedList(ground.place, ground.signer)
    forged = forge(await genuine(listed, ground, ADA))
    kept = await ground.place.get(path_of(ADA))
    assert kept is not None
    await ground.place.put(path_of(ADA), forged, expect=kept.version)
    with pytest.raises(EntryRefused, match=path_of(ADA)):
        await listed.get(ADA)
    assert await listed.enter(entry(ADA))
    assert await listed.get(ADA) == entry(ADA)
    assert not await listed.enter(entry(ADA)), "and is written once"


async def test_attack_the_entry_of_one_copied_to_the_name_of_another(ground: Ground) -> None:
    listed = ErasedList(ground.place, ground.signer)
    await ground.place.put(path_of(BOB), await genuine(listed, ground, ADA), expect=None)
    with pytest.raises(EntryRefused, match=f"{path_of(BOB)} is about {ADA}"):
        await listed.get(BOB)


async def test_attack_an_entry_that_erases_somebody_who_lives(open_office: Callable[..., Awaitable[Office]]) -> None:
    """Nobody is erased by it, those who were are, and an operator hears its name. What was not restored serves all the same."""
    office = await open_office()
    ada, bob = await office.register(), await office.register("bob@example.org")
    place = open_second_place(office.settings)
    await place.put(path_of(ada), msgspec.json.encode(entry(ada)), expect=None)
    await (await list_of(office.settings, office.opened)).enter(replace(entry(bob)))
    with pytest.raises(ListRefused, match=path_of(ada)):
        await erase_again(office.settings, office.opened)
    await Timekeeper(office.settings).step()
    assert isinstance((await state_of(office, ada))[0], Active)
    assert isinstance((await state_of(office, bob))[0], Erased)
    (finding,) = await erased_list(office.settings)
    assert (finding.ok, path_of(ada) in finding.detail) == (False, True)

    with pytest.raises(EntriesRefused, match=path_of(ada)):
        await go_on(office.settings, office.database.owner_url, place, EpochReason.OTHER)
    assert await office.owner.fetchval("SELECT epoch FROM log_head") == 1, "that is found out before an epoch is opened"

    await office.owner.execute("INSERT INTO vault.erased_list_reads SELECT vault.this_database()")
    await erase_again(office.settings, office.opened)
    assert isinstance((await state_of(office, ada))[0], Active)
    keeper = Timekeeper(office.settings)
    with capture_logs() as logs:
        for _ in range(3):
            await keeper.step()
    assert [line["event"] for line in logs].count("erased_list_refused") == 1, "the list is read once a day"


async def test_attack_files_that_are_no_entries(open_office: Callable[..., Awaitable[Office]]) -> None:
    """They stop nobody, and the doctor names them."""
    office = await open_office()
    place = open_second_place(office.settings)
    await place.put("erased/notes", b"", expect=None)
    await erase_again(office.settings, office.opened)
    (finding,) = await erased_list(office.settings)
    assert (finding.ok, "erased/notes" in finding.detail) == (False, True)
