"""A password for a session; and nothing learnt from a refusal."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from msgspec.structs import replace

from adapters.hashing.hasher import Argon2Hasher
from commands.change_password import ChangePassword, change_password
from commands.delete_user import DeleteUser, delete_user
from commands.ports import AttemptOutcome
from commands.sign_in import SignIn, sign_in
from commands.suspend_user import SuspendUser, suspend_user
from commands.token_answer import SignedIn
from domain.errors import AudienceNotAllowed, InvalidCredentials, LoginNameRequired, StoreUnavailable
from domain.session import MINOS
from domain.session_events import SessionStarted, TokenIssued
from domain.session_state import Live
from tests.commands.recording import Recording
from tests.commands.world import ANYBODY, PASSWORD, SYSTEM, World, make_world

WRONG = "wrong horse battery"


async def attempt(world: World, name: str = "ada", password: str = WRONG, **more: Any) -> Exception | None:
    try:
        await world.sign_in(name, password, **more)
    except InvalidCredentials as refused:
        return refused
    return None


async def test_signing_in_starts_a_session_with_its_first_token(world: World) -> None:
    user_id = await world.register("ada")
    signed_in = await world.sign_in("ada")
    assert [type(e) for e in world.happened(SessionStarted, TokenIssued)] == [SessionStarted, TokenIssued]
    claims = await world.claims(signed_in.access_token)
    assert (claims.sub, claims.aud, claims.sid) == (str(user_id), "minos", str(signed_in.session_id))
    assert (claims.exp - claims.iat, signed_in.expires_in) == (300, 300)
    assert (claims.roles, claims.epoch, claims.roles_version, claims.principal) == (("user",), 1, 1, "user")
    assert signed_in.refresh_expires_in == 14 * 86_400
    assert (await world.principal(signed_in.access_token)).user_id == user_id


async def test_a_username_signs_in_too(world: World) -> None:
    user_id = await world.register("ada")
    signed_in = await sign_in(SignIn(username="ADA", password=PASSWORD), ANYBODY, world.ports)
    assert isinstance(signed_in, SignedIn)
    assert signed_in.user_id == user_id


async def test_a_password_does_not_age(world: World) -> None:
    await world.register("ada")
    world.clock.forward(10 * 365 * 86_400)
    assert await world.sign_in("ada")


@pytest.mark.parametrize("names", [{}, {"email": "a@example.org", "username": "ada"}])
async def test_exactly_one_login_name_is_needed(world: World, names: dict[str, Any]) -> None:
    with pytest.raises(LoginNameRequired):
        await sign_in(SignIn(password=PASSWORD, **names), ANYBODY, world.ports)


async def test_every_sign_in_is_a_new_session_with_a_seed_of_its_own(world: World) -> None:
    await world.register("ada")
    one, two = await world.sign_in("ada"), await world.sign_in("ada")
    assert one.session_id != two.session_id
    assert (await world.session_of(one.session_id)).seed != (await world.session_of(two.session_id)).seed


async def test_a_session_has_only_the_audience_it_was_started_for(world: World) -> None:
    await world.register("ada")
    signed_in = await world.sign_in("ada", audience="tasks")
    assert (await world.session_of(signed_in.session_id)).audiences == ("tasks",)
    assert (await world.claims(signed_in.access_token)).aud == "tasks"


async def test_naming_minos_is_naming_no_other(world: World) -> None:
    await world.register("ada")
    signed_in = await world.sign_in("ada", audience=MINOS)
    assert (await world.session_of(signed_in.session_id)).audiences == (MINOS,)


async def test_an_audience_that_is_not_registered_is_refused_in_the_one_question_there_is_and_nothing_is_counted(world: World) -> None:
    calls: list[str] = []
    world.use(store=Recording("store", world.store, calls), guard=Recording("guard", world.guard, calls))
    with pytest.raises(AudienceNotAllowed):
        await world.sign_in("nobody", audience="elsewhere")
    assert calls == ["store.find_holder(1)"]


async def _unknown(world: World) -> None:
    pass


async def _wrong(world: World) -> None:
    await world.register("ada")


async def _suspended(world: World) -> None:
    await suspend_user(SuspendUser(user_id=await world.register("ada")), SYSTEM, world.ports)


async def _erased(world: World) -> None:
    """An erasure begins with a deletion, and takes the keys after it."""
    account = await world.account(user_id := await world.register("ada"))
    assert account.password is not None
    await delete_user(DeleteUser(user_id=user_id), SYSTEM, world.ports)
    world.vault.destroy([account.password.key_id])


async def _locked(world: World) -> None:
    await world.register("ada")
    for _ in range(5):
        await attempt(world)


async def _unknown_and_locked(world: World) -> None:
    for _ in range(5):
        await attempt(world)


async def _with_four_failures(world: World) -> None:
    await world.register("ada")
    for _ in range(4):
        await attempt(world)


async def _unknown_with_four_failures(world: World) -> None:
    for _ in range(4):
        await attempt(world)


Setting = Callable[[World], Awaitable[None]]
DEVICE = "mdv_" + "A" * 99


async def refused_with_calls(world: World, setting: Setting, password: str) -> tuple[str, list[str]]:
    await setting(world)
    calls: list[str] = []
    names = ("store", "vault", "hasher", "guard", "mint", "macs")
    world.use(**{name: Recording(name, getattr(world.ports, name), calls) for name in names})
    refused = await attempt(world, password=password, device_token=DEVICE)
    assert refused is not None
    return repr(refused) + str(refused), calls


ALIKE: list[tuple[Setting, str]] = [
    (_unknown, PASSWORD),
    (_wrong, WRONG),
    (_suspended, PASSWORD),
    (_suspended, WRONG),
    (_erased, PASSWORD),
    (_locked, PASSWORD),
    (_locked, WRONG),
    (_unknown_and_locked, WRONG),
]
AT_THE_THRESHOLD: list[tuple[Setting, str]] = [(_with_four_failures, WRONG), (_unknown_with_four_failures, WRONG)]


@pytest.mark.parametrize("cases", [ALIKE, AT_THE_THRESHOLD], ids=["before and during a lock", "at the threshold"])
async def test_every_refusal_says_and_does_the_same(hasher: Argon2Hasher, cases: list[tuple[Setting, str]]) -> None:
    seen = [await refused_with_calls(await make_world(hasher), setting, password) for setting, password in cases]
    words, calls = zip(*seen, strict=True)
    assert len(set(words)) == 1
    assert [c for c in calls if c != calls[0]] == []
    assert "hasher.verify()" in calls[0]


@pytest.mark.parametrize(
    ("setting", "password", "outcome"),
    [
        (_unknown, PASSWORD, AttemptOutcome.UNKNOWN_NAME),
        (_wrong, WRONG, AttemptOutcome.WRONG_PASSWORD),
        (_suspended, PASSWORD, AttemptOutcome.SUSPENDED),
        (_locked, PASSWORD, AttemptOutcome.LOCKED),
    ],
)
async def test_a_refused_attempt_is_kept_outside_the_log(world: World, setting: Setting, password: str, outcome: AttemptOutcome) -> None:
    await setting(world)
    before = len(world.memory.log)
    await attempt(world, password=password)
    assert world.guard.attempts[-1][2] is outcome
    assert len(world.memory.log) == before


async def test_names_that_nobody_could_have_are_refused_alike(world: World) -> None:
    for wish in (SignIn(email="no address", password=PASSWORD), SignIn(username="no name!", password=PASSWORD)):
        with pytest.raises(InvalidCredentials):
            await sign_in(wish, ANYBODY, world.ports)


async def test_a_sign_in_overtaken_by_a_suspension_is_refused_and_kept(world: World) -> None:
    user_id = await world.register("ada")

    async def suspend(_: object) -> None:
        await suspend_user(SuspendUser(user_id=user_id), SYSTEM, world.ports)

    world.store.overtake = suspend
    with pytest.raises(InvalidCredentials):
        await world.sign_in("ada")
    assert world.happened(SessionStarted) == []
    assert [user for _, user, _, _ in world.guard.attempts] == [user_id]


async def test_a_sign_in_overtaken_by_a_password_change_is_refused(world: World) -> None:
    """The old password was right when it was looked at; it is not when the session would begin."""
    ctx = await world.enter("ada")
    verify = world.ports.hasher.verify

    class Slow:
        hash = world.ports.hasher.hash
        require_room = world.ports.hasher.require_room

        async def verify(self, encoded: str | None, password: str, **more: Any) -> Any:
            answer = await verify(encoded, password, **more)
            if more.get("network") == "slow":
                await change_password(ChangePassword(current_password=PASSWORD, new_password="a new horse battery"), ctx, world.ports)
            return answer

    world.use(hasher=Slow())

    with pytest.raises(InvalidCredentials):
        await sign_in(SignIn(email="ada@example.org", password=PASSWORD), replace(ANYBODY, network="slow"), world.ports)


async def test_where_from_and_on_what_are_sealed_in_the_sessions_events(world: World) -> None:
    await world.register("ada")
    signed_in = await world.sign_in("ada", device_name="Ada's phone")
    [started] = world.happened(SessionStarted)
    assert isinstance(started, SessionStarted)
    for name, text in (("network", ANYBODY.network), ("user_agent", ANYBODY.user_agent), ("device_name", "Ada's phone")):
        assert await world.vault.open(getattr(started, name), stream=f"session-{signed_in.session_id}", field=name) == text  # type: ignore[arg-type]
    assert b"phone" not in b"".join(e.payload for e in world.memory.log)


async def test_sign_ins_at_once_are_a_session_each(world: World) -> None:
    await world.register("ada")
    answers = await asyncio.gather(*(world.sign_in("ada") for _ in range(4)))
    assert len({a.session_id for a in answers}) == 4
    for answer in answers:
        assert isinstance(await world.session_of(answer.session_id), Live)


class Away:
    """A port of which one call fails as when its store is away."""

    def __init__(self, inner: Any, call: str) -> None:
        self._inner, self._call = inner, call

    def __getattr__(self, name: str) -> Any:
        return self._fail if name == self._call else getattr(self._inner, name)

    async def _fail(self, *_: object, **__: object) -> Any:
        raise StoreUnavailable


@pytest.mark.parametrize(("port", "call"), [("vault", "open"), ("vault", "seal"), ("store", "append")])
async def test_a_store_that_is_away_locks_nobody_out(world: World, port: str, call: str) -> None:
    await world.register("ada")
    ports = world.ports
    world.use(**{port: Away(getattr(ports, port), call)})
    for _ in range(12):
        with pytest.raises(StoreUnavailable):
            await world.sign_in("ada")
    world.ports = ports
    await world.sign_in("ada")


async def test_a_session_that_has_begun_reaches_its_owner_though_the_counter_is_away(world: World) -> None:
    await world.register("ada")
    world.use(guard=Away(world.ports.guard, "forgive"))
    signed_in = await world.sign_in("ada")
    await world.principal(signed_in.access_token)
