"""Accounts of another system: made once, with the password they had, which becomes an Argon2id hash at the first sign-in."""

import asyncio

import pytest
from msgspec.structs import replace

from adapters.hashing.stored import is_argon2id
from commands.change_password import ChangePassword, change_password
from commands.import_user import ImportUser, Outcome, import_user
from domain import user
from domain.errors import EmailNotVerified, InvalidCredentials, PasswordUnacceptable
from domain.event import Erased
from domain.user_events import PasswordReason, PasswordRehashed, PasswordSet, RegisteredBy, UserRegistered
from tests.commands.world import PASSWORD as OURS
from tests.commands.world import SYSTEM, World
from tests.keys.test_foreign_hashes import MADE, PASSWORD

ADA = ImportUser(email="ada@example.org", username="ada", name="Ada", password_hash=MADE["bcrypt 2b"])


async def imported(world: World, wish: ImportUser = ADA) -> Outcome:
    return await import_user(wish, SYSTEM, world.ports)


async def test_who_was_imported_signs_in_with_the_password_they_had(world: World) -> None:
    assert await imported(world) is Outcome.IMPORTED
    await world.sign_in("ada", PASSWORD)
    with pytest.raises(InvalidCredentials):
        await world.sign_in("ada", PASSWORD + "x")


async def test_the_log_says_where_an_account_and_its_password_come_from(world: World) -> None:
    await imported(world)
    registered, password = world.happened(UserRegistered, PasswordSet)
    assert isinstance(registered, UserRegistered)
    assert isinstance(password, PasswordSet)
    assert (registered.registered_by, password.reason) == (RegisteredBy.IMPORT, PasswordReason.IMPORTED)
    assert registered.roles == (world.ports.policy.default_role,)


async def test_the_first_sign_in_puts_argon2id_in_its_place_and_destroys_the_other(world: World) -> None:
    await imported(world)
    user_id = (await world.sign_in("ada", PASSWORD)).user_id
    first, second = (e.password for e in world.happened(PasswordSet, PasswordRehashed) if isinstance(e, PasswordSet | PasswordRehashed))
    stream = user.stream(user_id)
    assert await world.ports.vault.open(first, stream=stream, field="password") == Erased()
    assert is_argon2id(str(await world.ports.vault.open(second, stream=stream, field="password")))
    await world.sign_in("ada", PASSWORD)
    assert len(world.happened(PasswordRehashed)) == 1


@pytest.mark.parametrize("vouched", [True, False])
async def test_an_address_counts_as_proved_only_where_the_import_vouches_for_it(world: World, vouched: bool) -> None:
    world.set_policy(unverified_sign_in=False)
    await imported(world, replace(ADA, email_verified=vouched))
    if vouched:
        await world.sign_in("ada", PASSWORD)
    else:
        with pytest.raises(EmailNotVerified):
            await world.sign_in("ada", PASSWORD)


async def test_a_wrong_password_replaces_nothing(world: World) -> None:
    await imported(world)
    with pytest.raises(InvalidCredentials):
        await world.sign_in("ada", "another phrase entirely")
    assert world.happened(PasswordRehashed) == []


async def test_an_imported_password_is_remembered_like_any_other(world: World) -> None:
    await imported(world)
    ctx = await world.ctx(await world.sign_in("ada", PASSWORD))
    await change_password(ChangePassword(current_password=PASSWORD, new_password=OURS), ctx, world.ports)
    ctx = await world.ctx(await world.sign_in("ada", OURS))
    with pytest.raises(PasswordUnacceptable, match="of this account"):
        await change_password(ChangePassword(current_password=OURS, new_password=PASSWORD), ctx, world.ports)


async def test_a_hash_that_may_not_be_computed_makes_no_account(world: World) -> None:
    before = len(world.memory.log)
    for encoded, outcome in (
        ("$2b$31$" + MADE["bcrypt 2b"][7:], Outcome.HASH_TOO_COSTLY),
        ("plain text", Outcome.HASH_UNKNOWN),
        ("pbkdf2_sha256$1000$salt$qg==", Outcome.HASH_TOO_SHORT),
    ):
        assert await imported(world, ImportUser(email="eve@example.org", password_hash=encoded)) is outcome
    assert len(world.memory.log) == before


async def test_importing_twice_makes_one_account_and_leaves_what_happened_since(world: World) -> None:
    await imported(world)
    ctx = await world.ctx(await world.sign_in("ada", PASSWORD))
    await change_password(ChangePassword(current_password=PASSWORD, new_password=OURS), ctx, world.ports)
    assert await imported(world) is Outcome.ALREADY_IMPORTED
    await world.sign_in("ada", OURS)
    assert len(world.happened(UserRegistered)) == 1


async def test_nobody_who_is_here_is_overwritten(world: World) -> None:
    await world.register("ada")
    assert await imported(world) is Outcome.EMAIL_TAKEN
    same_name = ImportUser(email="other@example.org", username="ADA", password_hash=MADE["bcrypt 2b"])
    assert await imported(world, same_name) is Outcome.USERNAME_TAKEN
    await world.sign_in("ada", OURS)


@pytest.mark.parametrize(
    ("email", "username", "outcome"),
    [("nobody", "fine", Outcome.INVALID_EMAIL), ("fine@example.org", "not fine", Outcome.INVALID_USERNAME)],
)
async def test_names_nobody_could_have_are_refused(world: World, email: str, username: str, outcome: Outcome) -> None:
    assert await imported(world, ImportUser(email=email, username=username, password_hash=MADE["bcrypt 2b"])) is outcome


async def test_a_dry_run_says_the_same_and_changes_nothing(world: World) -> None:
    before = len(world.memory.log)
    assert await import_user(ADA, SYSTEM, world.ports, dry_run=True) is Outcome.IMPORTED
    assert len(world.memory.log) == before
    await imported(world)
    assert await import_user(ADA, SYSTEM, world.ports, dry_run=True) is Outcome.ALREADY_IMPORTED


async def test_of_two_imports_at_once_one_makes_the_account(world: World) -> None:
    outcomes = await asyncio.gather(*(imported(world) for _ in range(4)))
    assert outcomes.count(Outcome.IMPORTED) == 1
    assert set(outcomes) <= {Outcome.IMPORTED, Outcome.EMAIL_TAKEN, Outcome.ALREADY_IMPORTED}


async def test_an_import_shows_nothing_of_a_person() -> None:
    assert repr(ADA) == "ImportUser(...)"
