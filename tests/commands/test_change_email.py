"""An address is changed by whoever asked for it, once its mailbox was read; nobody can tell whose it was."""

import pytest

from commands.begin_registration import Begun
from commands.change_email import ChangeEmail, ask_to_change_email, change_token, release_earlier_email
from commands.change_password import ChangePassword, change_password
from commands.context import Context
from commands.forgot_password import begin_reset
from commands.read_profile import read_profile
from commands.register_user import RegisterUser, register_user
from commands.reset_password import CheckReset, check_reset
from commands.undo_email import undo_token
from commands.verify_email import VerifyEmail, verify_email
from domain.address_change import UNDO_TTL
from domain.errors import (
    AskerRequired,
    EmailChangedLately,
    EmailTaken,
    InvalidCredentials,
    MailLimited,
    MailTokenInvalid,
    NewPasswordNotTaken,
)
from domain.ids import UserId
from tests.attacks.test_reset_that_skips_the_second_factor import link, proved
from tests.commands.recording import Recording
from tests.commands.world import ANYBODY, PASSWORD, SYSTEM, World

PROVED = "the first thing proved here"


async def ada(world: World) -> tuple[UserId, Context]:
    """With an address that she has proved, and signed in."""
    user_id = await world.register("ada")
    await proved(world)
    return user_id, await world.ctx(await world.sign_in("ada", PROVED))


async def ask(world: World, ctx: Context, name: str = "lovelace") -> Begun:
    return await ask_to_change_email(ChangeEmail(email=f"{name}@example.org"), ctx, world.ports)


def linked(world: World, begun: Begun) -> str:
    """The token in the mail to the new address."""
    browser = world.ports.mail_tokens.read(begun.registration)
    assert browser is not None
    return change_token(browser.subject, asked_at=world.clock.now, ports=world.ports)


async def confirm(world: World, begun: Begun) -> None:
    await verify_email(VerifyEmail(token=linked(world, begun), registration=begun.registration), ANYBODY, world.ports)


async def moved(world: World) -> tuple[UserId, Context]:
    user_id, ctx = await ada(world)
    await confirm(world, await ask(world, ctx))
    return user_id, ctx


async def open_for(world: World, address: str) -> UserId:
    """Somebody else opens an account."""
    return (await register_user(RegisterUser(email=address, password=PASSWORD), ANYBODY, world.ports)).result.user_id


async def undo_link(world: World, user_id: UserId) -> str:
    """The token in the mail to the earlier address."""
    account = await world.account(user_id)
    assert account.earlier is not None
    return undo_token(account, account.earlier, world.ports)


async def test_acc_18_nothing_changes_before_the_new_mailbox_was_read(world: World) -> None:
    user_id, ctx = await ada(world)
    begun = await ask(world, ctx)
    assert (await read_profile(user_id, world.ports)).email == "ada@example.org"
    await confirm(world, begun)
    profile = await read_profile(user_id, world.ports)
    assert (profile.email, profile.email_verified) == ("lovelace@example.org", True)
    assert await world.is_live(ctx), "it ends no session: its owner did it"
    assert (await world.sign_in("lovelace", PROVED)).user_id == user_id


async def test_a_link_works_once(world: World) -> None:
    _, ctx = await ada(world)
    begun = await ask(world, ctx)
    await confirm(world, begun)
    with pytest.raises(MailTokenInvalid):
        await confirm(world, begun)


async def test_it_takes_no_password_along(world: World) -> None:
    _, ctx = await ada(world)
    begun = await ask(world, ctx)
    wish = VerifyEmail(token=linked(world, begun), registration=begun.registration, new_password=PASSWORD)
    with pytest.raises(NewPasswordNotTaken):
        await verify_email(wish, ANYBODY, world.ports)


async def test_asking_makes_the_same_calls_and_answers_alike_for_taken_and_free_addresses(world: World) -> None:
    await world.register("taken")
    _, ctx = await ada(world)
    done: list[list[str]] = []
    ports = world.ports
    for name in ("taken", "free"):
        calls: list[str] = []
        world.use(**{part: Recording(part, getattr(ports, part), calls) for part in ("store", "vault", "guard", "mailbox")})
        assert (await ask(world, ctx, name)).status == "proof_required"
        world.ports = ports
        done.append(calls)
    assert done[0] == done[1] == ["store.load(1)", "mailbox.spend(1)", "mailbox.hold()"]


async def test_an_address_that_somebody_took_meanwhile_is_theirs(world: World) -> None:
    user_id, ctx = await ada(world)
    begun = await ask(world, ctx)
    await world.register("lovelace")
    with pytest.raises(EmailTaken):
        await confirm(world, begun)
    assert (await read_profile(user_id, world.ports)).email == "ada@example.org"


async def test_a_change_that_waits_dies_with_a_new_password(world: World) -> None:
    """The thief of a session asked for it; its owner noticed."""
    _, ctx = await ada(world)
    begun = await ask(world, ctx)
    await change_password(ChangePassword(current_password=PROVED, new_password="and something else again"), ctx, world.ports)
    with pytest.raises(MailTokenInvalid):
        await confirm(world, begun)


async def test_of_two_changes_that_wait_one_is_made(world: World) -> None:
    _, ctx = await ada(world)
    first, second = await ask(world, ctx), await ask(world, ctx, "byron")
    await confirm(world, first)
    with pytest.raises(MailTokenInvalid):
        await confirm(world, second)
    with pytest.raises(EmailChangedLately):
        await ask(world, ctx, "byron")


async def test_one_account_asks_for_five_and_then_one_an_hour(world: World) -> None:
    _, ctx = await ada(world)
    for n in range(5):
        await ask(world, ctx, f"person{n}")
    with pytest.raises(MailLimited):
        await ask(world, ctx, "one-more")


async def test_pending_reset_links_die_with_the_address_they_went_to(world: World) -> None:
    _, ctx = await ada(world)
    reset = await link(world)
    await confirm(world, await ask(world, ctx))
    with pytest.raises(MailTokenInvalid):
        await check_reset(CheckReset(token=reset), world.ports)


async def test_the_earlier_address_is_nobody_elses_for_three_days_and_then_free(world: World) -> None:
    user_id, _ = await moved(world)
    with pytest.raises(EmailTaken):
        await open_for(world, "ada@example.org")
    world.clock.forward(UNDO_TTL - 1)
    assert not await release_earlier_email(user_id, SYSTEM, world.ports)
    world.clock.forward(1)
    assert await release_earlier_email(user_id, SYSTEM, world.ports)
    assert not await release_earlier_email(user_id, SYSTEM, world.ports)
    assert await open_for(world, "ada@example.org") != user_id
    with pytest.raises(InvalidCredentials):
        await world.sign_in("ada", PROVED)


async def test_an_address_that_nobody_proved_is_free_at_once_and_takes_nothing_back(world: World) -> None:
    ctx = await world.enter("ada")
    assert ctx.principal is not None
    await confirm(world, await ask(world, ctx))
    assert (await world.account(ctx.principal.user_id)).earlier is None
    assert await open_for(world, "ada@example.org") != ctx.principal.user_id


async def test_a_link_for_a_password_goes_to_the_new_address(world: World) -> None:
    user_id, _ = await moved(world)
    reset = await begin_reset("lovelace@example.org", world.ports.random.uuid7(), SYSTEM, world.ports)
    assert reset is not None
    assert reset.account.user_id == user_id


async def test_who_has_the_link_alone_changes_nothing(world: World) -> None:
    _, ctx = await ada(world)
    begun = await ask(world, ctx)
    with pytest.raises(AskerRequired):
        await verify_email(VerifyEmail(token=linked(world, begun)), ANYBODY, world.ports)
