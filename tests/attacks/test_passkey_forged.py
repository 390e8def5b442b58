"""What a phisher, a thief or a neighbour can do with somebody's passkey, or with one of their own: nothing."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from typing import Any

import pytest

from adapters.base64url import to_text
from adapters.hashing.hasher import Argon2Hasher
from commands.sign_in_challenge import LIFE, FactorRequired
from domain.errors import InvalidChallenge, InvalidFactor
from domain.factor_events import PasskeyRegistered, PasskeyRegressed
from domain.session_events import SessionStarted
from tests.commands.passkeys import answer, asked, complete_with, enter, made
from tests.commands.world import ISSUER, World, make_world
from tests.software_key import UP, EcKey, SoftwareKey


@pytest.fixture
async def world() -> AsyncIterator[World]:
    hasher = Argon2Hasher(memory_kib=8, passes=1, threads=1)
    yield await make_world(hasher)
    hasher.close()


async def person(world: World, name: str = "ada", **more: Any) -> SoftwareKey:
    key, _ = await made(await world.enter(name), world, SoftwareKey(ISSUER, **more))
    return key


LIES: dict[str, dict[str, Any]] = {
    "wrong origin": {"origin": "https://minos.test.evil.example"},
    "origin without tls": {"origin": "http://minos.test"},
    "wrong relying party": {"rp_id": "evil.example"},
    "another challenge": {"challenge": to_text(secrets.token_bytes(32))},
    "no user verification": {"flags": UP},
    "nobody present": {"flags": 0x04},
    "made instead of shown": {"type": "webauthn.create"},
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
async def test_assertion_that_lies(world: World, lie: dict[str, Any]) -> None:
    key = await person(world)
    began = len(world.happened(SessionStarted))
    with pytest.raises(InvalidFactor):
        await enter(world, key, **lie)
    second = await world.show_password("ada")
    assert isinstance(second, FactorRequired)
    with pytest.raises(InvalidFactor):
        await complete_with(world, second, key, **lie)
    assert len(world.happened(SessionStarted)) == began


@pytest.mark.parametrize("lie", [LIES[name] for name in LIES if "instead" not in name] + [{"type": "webauthn.get"}])
async def test_new_key_that_lies(world: World, lie: dict[str, Any]) -> None:
    with pytest.raises(InvalidFactor):
        await made(await world.enter("ada"), world, **lie)
    assert world.happened(PasskeyRegistered) == []


async def test_assertion_shown_twice(world: World) -> None:
    """Also by an authenticator that does not count, where no counter gives the copy away."""
    for name, counts in (("ada", True), ("bob", False)):
        key = await person(world, name, counts=counts)
        ask = await asked(world)
        assertion = key.sign(ask.options)
        await answer(world, ask, assertion)
        began = len(world.happened(SessionStarted))
        for again in (ask, await asked(world)):
            with pytest.raises((InvalidChallenge, InvalidFactor)):
                await answer(world, again, assertion)
        assert len(world.happened(SessionStarted)) == began
    assert world.happened(PasskeyRegressed) == []


async def test_assertion_shown_many_times_at_once(world: World) -> None:
    key = await person(world, counts=False)
    ask = await asked(world)
    assertion = key.sign(ask.options)
    answers = await asyncio.gather(*(answer(world, ask, assertion) for _ in range(8)), return_exceptions=True)
    assert sum(not isinstance(one, Exception) for one in answers) == 1


async def test_assertion_after_its_challenge_is_over(world: World) -> None:
    key = await person(world)
    ask = await asked(world)
    world.clock.forward(LIFE)
    with pytest.raises(InvalidChallenge):
        await enter(world, key, ask)


async def test_passkey_of_another_user(world: World) -> None:
    """Mallory's own key says it is Ada's, by the handle and by the id."""
    ada, mallory = await person(world), await person(world, "mallory")
    with pytest.raises(InvalidFactor):
        await enter(world, mallory, user_handle=ada.user_handle)
    forged = SoftwareKey(ISSUER, EcKey(), credential_id=ada.credential_id, user_handle=ada.user_handle)
    with pytest.raises(InvalidFactor):
        await enter(world, forged)
    second = await world.show_password("ada")
    assert isinstance(second, FactorRequired)
    with pytest.raises(InvalidFactor):
        await complete_with(world, second, mallory)


async def test_cloned_authenticator(world: World) -> None:
    """Whichever of the two signs with a counter that the other has passed is refused, and leaves a trace."""
    key = await person(world)
    clone = SoftwareKey(ISSUER, key.key, credential_id=key.credential_id, user_handle=key.user_handle, count=key.count)
    await enter(world, key)
    with pytest.raises(InvalidFactor):
        await enter(world, clone)
    assert len(world.happened(PasskeyRegressed)) == 1


@pytest.mark.parametrize("handle", [b"", b"\0" * 16, b"0123456789abcdef", b"f" * 64])
async def test_handle_of_nobody(world: World, handle: bytes) -> None:
    key = await person(world)
    with pytest.raises(InvalidFactor):
        await enter(world, key, user_handle=handle)


async def test_attestation_of_garbage(world: World) -> None:
    class Garbage(EcKey):
        def public(self) -> dict[int, Any]:
            return {1: 2, 3: -7, -1: 1, -2: b"\0" * 32, -3: b"\0" * 31}

    for key in (Garbage(), type("Other", (EcKey,), {"public": lambda _: {1: 2, 3: -47}})()):
        world_ctx = await world.enter(secrets.token_hex(4))
        with pytest.raises(InvalidFactor):
            await made(world_ctx, world, SoftwareKey(ISSUER, key))
