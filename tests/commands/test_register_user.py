"""Accounts are opened by people, never rights."""

import asyncio

import msgspec
import pytest

from adapters.secrets_store import KeyVersions, Purpose
from commands.context import Repeat
from commands.login_names import normalise_email
from commands.register_user import RegisterUser, register_user
from domain import errors
from domain.claim import ClaimKind, ClaimTaken
from domain.errors import EmailTaken, IdempotencyKeyReused, RegistrationClosed, UsernameTaken
from domain.user import Active
from domain.user_events import PasswordSet, RegisteredBy, UserRegistered
from tests.commands.world import ANYBODY, PASSWORD, World

WISH = RegisterUser(email="Ada@Example.org", password=PASSWORD, username="Ada", name="Ada Lovelace")
KEYED = msgspec.structs.replace(ANYBODY, repeat=Repeat(key=b"k" * 32, digest=b"d" * 32))


async def test_an_account_is_its_user_its_claims_and_its_password_in_one_append(world: World) -> None:
    done = await register_user(WISH, ANYBODY, world.ports)
    kinds = [e.kind for e in world.happened(ClaimTaken) if isinstance(e, ClaimTaken)]
    assert kinds == [ClaimKind.EMAIL, ClaimKind.USERNAME]
    assert len(world.happened(UserRegistered, PasswordSet)) == 2
    assert len({e.command_id for e in world.memory.log if e.type.startswith(("user.", "claim."))}) == 1
    account = await world.account(done.result.user_id)
    assert await world.vault.open(account.email, stream=f"user-{account.user_id}", field="email") == "Ada@Example.org"  # type: ignore[arg-type]


async def test_the_log_holds_no_address_name_or_password(world: World) -> None:
    await register_user(WISH, ANYBODY, world.ports)
    log = b"".join(e.payload for e in world.memory.log).lower()
    assert not any(word in log for word in (b"ada@", b"lovelace", b"example.org", b"correct horse", b"argon2"))


@pytest.mark.parametrize("field", ["role", "roles", "status", "user_id", "permissions", "registered_by"])
def test_no_body_can_choose_rights(field: str) -> None:
    body = {"email": "a@example.org", "password": PASSWORD, field: "admin"}
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        msgspec.convert(body, RegisterUser)


async def test_a_new_account_has_the_default_role_and_registered_itself(world: World) -> None:
    world.set_policy(default_role="guest")
    await register_user(WISH, ANYBODY, world.ports)
    [registered] = world.happened(UserRegistered)
    assert isinstance(registered, UserRegistered)
    assert (registered.roles, registered.registered_by) == (("guest",), RegisteredBy.SELF)


@pytest.mark.parametrize("email", ["ada@example.org", "ADA@EXAMPLE.ORG", "ａda@example.org", "ada@EXAMPLE。org"])
async def test_two_spellings_of_an_address_are_one_account(world: World, email: str) -> None:
    await register_user(WISH, ANYBODY, world.ports)
    with pytest.raises(EmailTaken):
        await register_user(RegisterUser(email=email, password=PASSWORD), ANYBODY, world.ports)


async def test_two_spellings_of_a_username_are_one_account(world: World) -> None:
    await register_user(WISH, ANYBODY, world.ports)
    with pytest.raises(UsernameTaken):
        await register_user(RegisterUser(email="b@example.org", username="aDA", password=PASSWORD), ANYBODY, world.ports)
    assert len(world.happened(UserRegistered)) == 1


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"email": "not an address"}, errors.InvalidEmail),
        ({"email": "a@b"}, errors.InvalidEmail),
        ({"username": "a b c"}, errors.InvalidUsername),
        ({"username": "_ada"}, errors.InvalidUsername),
        ({"password": "short"}, errors.PasswordUnacceptable),
        ({"password": "my lovelace password"}, errors.PasswordUnacceptable),
        ({"password": "minos minos minos"}, errors.PasswordUnacceptable),
    ],
)
async def test_what_no_account_may_have_is_refused_and_nothing_is_written(
    world: World, change: dict[str, str], refusal: type[Exception]
) -> None:
    before = len(world.memory.log)
    with pytest.raises(refusal):
        await register_user(msgspec.structs.replace(WISH, **change), ANYBODY, world.ports)
    assert len(world.memory.log) == before


@pytest.mark.parametrize("registration", ["closed", "invite"])
async def test_a_closed_registration_opens_for_nobody(world: World, registration: str) -> None:
    world.set_policy(registration=registration)
    with pytest.raises(RegistrationClosed):
        await register_user(WISH, ANYBODY, world.ports)


async def test_of_many_at_once_one_gets_the_address(world: World) -> None:
    wishes = [register_user(RegisterUser(email="ada@example.org", password=PASSWORD), ANYBODY, world.ports) for _ in range(16)]
    answers = await asyncio.gather(*wishes, return_exceptions=True)
    assert sum(isinstance(a, EmailTaken) for a in answers) == 15
    assert len(world.happened(UserRegistered)) == 1


async def test_the_same_key_and_body_give_the_first_answer(world: World) -> None:
    first = await register_user(WISH, KEYED, world.ports)
    again = await register_user(WISH, KEYED, world.ports)
    assert (again.result, again.appended) == (first.result, False)
    assert len(world.happened(UserRegistered)) == 1


async def test_the_same_key_with_another_body_is_refused(world: World) -> None:
    await register_user(WISH, KEYED, world.ports)
    other = msgspec.structs.replace(KEYED, repeat=Repeat(key=b"k" * 32, digest=b"e" * 32))
    with pytest.raises(IdempotencyKeyReused):
        await register_user(RegisterUser(email="b@example.org", password=PASSWORD), other, world.ports)
    assert len(world.happened(UserRegistered)) == 1


async def test_a_key_whose_request_is_overtaken_by_its_twin_gives_the_twins_answer(world: World) -> None:
    async def twin(_: object) -> None:
        first.append((await register_user(WISH, KEYED, world.ports)).result)

    first: list[object] = []
    world.store.overtake = twin
    again = await register_user(WISH, KEYED, world.ports)
    assert [again.result] == first
    assert len(world.happened(UserRegistered)) == 1


async def test_sixteen_twins_with_one_key_get_one_answer(world: World) -> None:
    answers = await asyncio.gather(*(register_user(WISH, KEYED, world.ports) for _ in range(16)))
    assert len({a.result.user_id for a in answers}) == 1
    assert len(world.happened(UserRegistered)) == 1


async def test_a_key_that_another_body_took_meanwhile_is_refused(world: World) -> None:
    other = msgspec.structs.replace(KEYED, repeat=Repeat(key=b"k" * 32, digest=b"e" * 32))

    async def overtaken(_: object) -> None:
        await register_user(RegisterUser(email="b@example.org", password=PASSWORD), other, world.ports)

    world.store.overtake = overtaken
    with pytest.raises(IdempotencyKeyReused):
        await register_user(WISH, KEYED, world.ports)


async def test_an_outcome_kept_for_a_repeat_holds_ids_only(world: World) -> None:
    done = await register_user(WISH, KEYED, world.ports)
    kept = await world.memory.find_outcome(b"k" * 32)
    assert kept is not None
    assert msgspec.json.decode(kept[1]) == {"user_id": str(done.result.user_id)}


async def test_a_name_held_under_an_older_index_key_is_not_given_away(world: World) -> None:
    """While index keys rotate, rows exist under the old key only (threats.md 11)."""
    await register_user(WISH, ANYBODY, world.ports)
    with_next_index_key(world)
    with pytest.raises(EmailTaken):
        await register_user(RegisterUser(email="ada@example.org", password=PASSWORD), ANYBODY, world.ports)
    with pytest.raises(UsernameTaken):
        await register_user(RegisterUser(email="b@example.org", username="ada", password=PASSWORD), ANYBODY, world.ports)
    assert isinstance(await world.user_of(await world.register("carol")), Active)


def with_next_index_key(world: World) -> None:
    """Rotate the key that names are looked up by, before any row was written anew."""
    old = world.secrets.of(Purpose.CLAIM_INDEX)
    versions = {purpose: world.secrets.of(purpose) for purpose in Purpose}
    world.secrets.replace({**versions, Purpose.CLAIM_INDEX: KeyVersions(2, {**old.keys, 2: b"2" * 64})})


def test_an_address_is_its_own_normal_form() -> None:
    assert normalise_email(normalise_email("ADA@Bücher.example")) == "ada@xn--bcher-kva.example"
