"""Who is deleted is told so, and so is who wants their address meanwhile; and what is due is done without anybody asking."""

from collections.abc import Awaitable, Callable

import pytest
from msgspec.structs import replace

from commands.delete_user import DeleteUser, delete_user
from commands.erase_me import ask_for_erasure, begin_erasure
from commands.read_profile import AccountStatus, read_profile
from commands.suspend_user import ReinstateUser, SuspendUser, reinstate_user, suspend_user
from domain.ids import UserId
from tests.mail.conftest import ANYBODY, Office
from workers.projector import Projector
from workers.timekeeper import DUTIES, Timekeeper

CLI = replace(ANYBODY, system="cli")


async def deleted(office: Office) -> UserId:
    user_id = await office.known()
    await delete_user(DeleteUser(user_id=user_id), CLI, office.ports)
    return user_id


async def projected(office: Office) -> None:
    await office.sequence()
    projector = Projector(office.database.app_url)
    await projector.begin()
    while await projector.step():
        pass
    await projector.close()


async def status(office: Office, user_id: UserId) -> AccountStatus:
    return (await read_profile(user_id, office.ports)).status


async def test_who_is_deleted_hears_of_it_and_until_when_it_can_be_undone(office: Office) -> None:
    user_id = await deleted(office)
    await office.work()
    until = (await read_profile(user_id, office.ports)).restorable_until
    assert until is not None
    assert office.subjects() == ["Your minos account was deleted"]
    assert f"Until {until:%Y-%m-%d %H:%M} UTC an administrator can bring it back" in office.text().replace("\n", " ")


async def test_who_wants_the_address_of_a_deleted_account_is_answered_alike_and_the_mailbox_hears_why(
    open_office: Callable[..., Awaitable[Office]],
) -> None:
    office = await open_office(email_verification="required")
    await deleted(office)
    await office.work()
    await office.begin()
    await office.begin("bob@example.org")
    await office.work()
    deleted_twice, finish = ["Your minos account was deleted"] * 2, ["Finish registering at minos"]
    assert sorted(office.subjects()) == finish + deleted_twice


async def test_what_is_due_is_done_once_and_nothing_before(open_office: Callable[..., Awaitable[Office]]) -> None:
    office = await open_office(restore_period=0)
    due = await deleted(office)
    stays = await office.known("bob@example.org")
    done: list[tuple[str, int]] = []
    keeper = Timekeeper(office.settings, observe=lambda duty, count: done.append((duty, count)))
    await projected(office)
    assert await keeper.step() == 1
    assert await keeper.step() == 0  # the read model still says it is due
    await projected(office)
    assert await keeper.step() == 0
    assert [count for duty, count in done if duty == "names_released"] == [1, 0, 0]
    assert (await status(office, due), await status(office, stays)) == (AccountStatus.GONE, AccountStatus.ACTIVE)
    assert await office.register() != due


async def test_one_thing_that_fails_keeps_nothing_else_from_being_done(
    open_office: Callable[..., Awaitable[Office]], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> bool:
        raise ValueError("unforeseen")

    office = await open_office(restore_period=0)
    due = await deleted(office)
    await projected(office)
    duty = next(each for each in DUTIES if each.name == "names_released")
    monkeypatch.setattr("workers.timekeeper.DUTIES", (duty._replace(name="failing", act=fails), duty))
    with pytest.raises(ValueError, match="unforeseen"):
        await Timekeeper(office.settings).step()
    assert await status(office, due) is AccountStatus.GONE


async def test_an_account_that_can_be_restored_keeps_its_names(office: Office) -> None:
    user_id = await deleted(office)
    await projected(office)
    assert await Timekeeper(office.settings).step() == 0
    assert await status(office, user_id) is AccountStatus.DELETED


async def test_who_asked_to_be_erased_hears_of_it_and_again_when_it_has_begun(
    open_office: Callable[..., Awaitable[Office]],
) -> None:
    office = await open_office(erasure_wait=0)
    user_id = await office.known()
    await ask_for_erasure(await office.ctx(await office.sign_in()), office.ports)
    await office.work()
    assert office.subjects() == ["Your minos account will be erased"]
    await projected(office)
    keeper = Timekeeper(office.settings)
    assert await keeper.step() == 1
    await projected(office)
    assert await keeper.step() == 1
    assert await status(office, user_id) is AccountStatus.GONE
    await office.work()
    assert office.subjects() == ["Your minos account will be erased", "Your minos account is gone"]


async def test_who_can_withdraw_an_erasure_again_hears_until_when(office: Office) -> None:
    """Also where that is as late as the suspension had put it."""
    user_id, other = await office.known(), await office.known("bob@example.org")
    await ask_for_erasure(await office.ctx(await office.sign_in()), office.ports)
    for each in (user_id, other):
        await suspend_user(SuspendUser(user_id=each), CLI, office.ports)
    await office.work()
    assert not office.subjects()
    for each in (user_id, other):
        await reinstate_user(ReinstateUser(user_id=each), CLI, office.ports)
    await office.work()
    assert office.subjects() == ["Your minos account will be erased"]
    until = (await read_profile(user_id, office.ports)).erasure_due_at
    assert until is not None
    assert f"{until:%Y-%m-%d %H:%M} UTC" in office.text()


async def test_who_was_suspended_and_is_erased_hears_until_when_nobody_can_have_the_address(
    open_office: Callable[..., Awaitable[Office]],
) -> None:
    office = await open_office(erasure_wait=0, restore_period=0, email_verification="required")
    user_id = await office.known()
    await ask_for_erasure(await office.ctx(await office.sign_in()), office.ports)
    await suspend_user(SuspendUser(user_id=user_id), CLI, office.ports)
    assert await begin_erasure(user_id, CLI, office.ports)
    until = (await read_profile(user_id, office.ports)).restorable_until
    assert until is not None
    await office.begin()
    await office.work()
    assert office.subjects()[-2:] == ["Your minos account is gone"] * 2
    assert f"from {until:%Y-%m-%d %H:%M} UTC on the address is free" in office.text().replace("\n", " ")
