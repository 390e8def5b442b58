"""What people may change of themselves, and what becomes of an old name."""

import asyncio
from typing import Any

import msgspec
import pytest

from adapters.secrets_store import KeyVersions, Purpose
from commands.change_profile import ChangeProfile, change_profile
from commands.context import Context
from commands.read_profile import AccountStatus, read_profile
from commands.sign_in import SignIn, sign_in
from commands.suspend_user import SuspendUser, suspend_user
from commands.token_answer import SignedIn
from domain.claim import ClaimReleased, ClaimTaken
from domain.errors import InvalidCredentials, InvalidToken, InvalidUsername, NoSuchUser, SessionEnded, UsernameTaken
from domain.ids import UserId
from domain.locale import Locale
from domain.user_events import LocaleChosen, ProfileChanged, UsernameChanged
from tests.commands.world import ANYBODY, PASSWORD, SYSTEM, World


def me(ctx: Context) -> Any:
    assert ctx.principal is not None
    return ctx.principal


async def rename(world: World, ctx: Context, username: str | None) -> None:
    await change_profile(ChangeProfile(username=username), ctx, world.ports)


async def by_name(world: World, username: str) -> UserId:
    answer = await sign_in(SignIn(username=username, password=PASSWORD), ANYBODY, world.ports)
    assert isinstance(answer, SignedIn)
    return answer.user_id


async def test_a_name_is_changed_and_taken_away(world: World) -> None:
    ctx = await world.enter("ada")
    await change_profile(ChangeProfile(name="Ada"), ctx, world.ports)
    assert (await read_profile(me(ctx).user_id, world.ports)).name == "Ada"
    await change_profile(ChangeProfile(name=None), ctx, world.ports)
    assert (await read_profile(me(ctx).user_id, world.ports)).name is None


async def test_saying_the_same_name_again_changes_nothing(world: World) -> None:
    ctx = await world.enter("ada")
    for _ in range(3):
        await change_profile(ChangeProfile(name="Ada", username="ada"), ctx, world.ports)
    assert len(world.happened(ProfileChanged)) == 1
    assert world.happened(UsernameChanged) == []


async def test_an_empty_wish_changes_nothing(world: World) -> None:
    ctx = await world.enter("ada")
    assert not (await change_profile(ChangeProfile(), ctx, world.ports)).appended


@pytest.mark.parametrize("field", ["email", "roles", "status", "password", "user_id"])
def test_nothing_else_is_theirs_to_change(field: str) -> None:
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        msgspec.convert({field: "x"}, ChangeProfile)


async def test_a_new_username_signs_in_and_the_old_one_is_free(world: World) -> None:
    ada, bob = await world.enter("ada"), await world.enter("bob")
    await rename(world, ada, "lovelace")
    assert await by_name(world, "lovelace") == me(ada).user_id
    with pytest.raises(InvalidCredentials):
        await by_name(world, "ada")
    await rename(world, bob, "ada")
    assert await by_name(world, "ada") == me(bob).user_id


async def test_a_username_given_up_is_free_and_there_is_none(world: World) -> None:
    ada = await world.enter("ada")
    for _ in range(2):
        await rename(world, ada, None)
    assert (await read_profile(me(ada).user_id, world.ports)).username is None
    assert len(world.happened(UsernameChanged)) == len(world.happened(ClaimReleased)) == 1
    await rename(world, await world.enter("bob"), "ada")


async def test_anothers_username_is_taken_however_it_is_spelled(world: World) -> None:
    ada, _ = await world.enter("ada"), await world.enter("bob")
    for spelling in ("bob", "BOB", "ｂｏｂ"):
        with pytest.raises(UsernameTaken):
            await rename(world, ada, spelling)
    assert await by_name(world, "ada") == me(ada).user_id


async def test_a_username_of_another_form_is_refused(world: World) -> None:
    ada = await world.enter("ada")
    for name in ("a b c", "_ada", "ada@example.org", "adä"):
        with pytest.raises(InvalidUsername):
            await rename(world, ada, name)


async def test_of_many_who_want_one_name_at_once_one_gets_it(world: World) -> None:
    ctxs = [await world.enter(f"user{n}") for n in range(6)]
    answers = await asyncio.gather(*(rename(world, ctx, "wanted") for ctx in ctxs), return_exceptions=True)
    assert sum(isinstance(a, UsernameTaken) for a in answers) == 5
    assert len(world.happened(ClaimTaken)) == 6 * 2 + 1


async def test_one_user_renaming_from_two_tabs_ends_with_one_of_the_names(world: World) -> None:
    ada = await world.enter("ada")
    await asyncio.gather(rename(world, ada, "first"), rename(world, ada, "second"))
    username = (await read_profile(me(ada).user_id, world.ports)).username
    assert username in {"first", "second"}
    for name in {"ada", "first", "second"} - {username}:
        with pytest.raises(InvalidCredentials):
            await by_name(world, name)


async def test_the_same_rename_from_two_tabs_is_one_rename(world: World) -> None:
    ada = await world.enter("ada")
    await asyncio.gather(*(rename(world, ada, "lovelace") for _ in range(4)))
    assert len(world.happened(UsernameChanged)) == 1
    assert await by_name(world, "lovelace") == me(ada).user_id


async def test_back_and_forth_meanwhile_still_ends_with_the_name_asked_for(world: World) -> None:
    """The name was one's own when it was looked at, and had moved by the time of the append."""
    ada = await world.enter("ada")

    async def elsewhere(_: object) -> None:
        await rename(world, ada, "lovelace")

    world.store.overtake = elsewhere
    await change_profile(ChangeProfile(name="Ada", username="ada"), ada, world.ports)
    assert await by_name(world, "ada") == me(ada).user_id


async def test_a_username_is_freed_under_every_index_key(world: World) -> None:
    ada = await world.enter("ada")
    old = world.secrets.of(Purpose.CLAIM_INDEX)
    versions = {purpose: world.secrets.of(purpose) for purpose in Purpose}
    world.secrets.replace({**versions, Purpose.CLAIM_INDEX: KeyVersions(2, {**old.keys, 2: b"2" * 64})})
    await rename(world, ada, "lovelace")
    bob = await world.enter("bob")
    await rename(world, bob, "ada")
    with pytest.raises(UsernameTaken):
        await rename(world, bob, "lovelace")


async def test_a_suspended_user_changes_nothing(world: World) -> None:
    ada = await world.enter("ada")
    await suspend_user(SuspendUser(user_id=me(ada).user_id), SYSTEM, world.ports)
    with pytest.raises((InvalidToken, SessionEnded)):
        await change_profile(ChangeProfile(name="Ada"), ada, world.ports)
    assert world.happened(ProfileChanged) == []


async def test_a_profile_says_what_it_holds_and_forgets_what_was_erased(world: World) -> None:
    ada = await world.enter("ada")
    profile = await read_profile(me(ada).user_id, world.ports)
    assert (profile.email, profile.username, profile.status) == ("ada@example.org", "ada", AccountStatus.ACTIVE)
    account = await world.account(me(ada).user_id)
    world.vault.destroy([account.email.key_id])
    await suspend_user(SuspendUser(user_id=me(ada).user_id), SYSTEM, world.ports)
    profile = await read_profile(me(ada).user_id, world.ports)
    assert (profile.email, profile.username, profile.status) == (None, None, AccountStatus.SUSPENDED)
    with pytest.raises(NoSuchUser):
        await read_profile(UserId(world.ports.random.uuid7()), world.ports)


async def test_a_language_is_chosen_once_and_taken_away(world: World) -> None:
    ctx = await world.enter("ada")
    for locale in (Locale.DE, Locale.DE, None):
        await change_profile(ChangeProfile(locale=locale), ctx, world.ports)
        assert (await read_profile(me(ctx).user_id, world.ports)).locale is locale
    assert len(world.happened(LocaleChosen)) == 2
