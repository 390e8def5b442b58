"""Keys turn: the next is always published first, and a revoked one is refused at once."""

import asyncio

import pytest

from commands.identify import identify
from commands.signing_keys import (
    LONGEST_TOKEN,
    RevokeSigningKey,
    RotateSigningKey,
    ensure_signing_keys,
    revoke_signing_key,
    rotate_signing_key,
)
from domain import signing_key
from domain.errors import Contended, InvalidToken, NoSuchSigningKey
from domain.ids import Kid
from domain.signing_key import Active, Algorithm, KeyRevocation, Published, Purpose, Retiring, Revoked, SigningKeyCreated
from tests.commands.world import SYSTEM, World


def created(world: World) -> list[SigningKeyCreated]:
    return [event for event in world.log if isinstance(event, SigningKeyCreated)]


async def stages(world: World, purpose: Purpose = Purpose.ACCESS) -> dict[type, list[Kid]]:
    found: dict[type, list[Kid]] = {}
    made_for = {event.kid: event.purpose for event in created(world)}
    for kid in await world.ports.keys.kids():
        if made_for.get(kid, purpose) is not purpose:
            continue
        state = await world.state(signing_key.decider, signing_key.stream(kid))
        found.setdefault(type(state), []).append(kid)
    return found


@pytest.mark.parametrize("purpose", Purpose)
async def test_the_first_start_makes_one_key_to_sign_and_one_to_follow_for_each_purpose(world: World, purpose: Purpose) -> None:
    await ensure_signing_keys(Algorithm.ES256, SYSTEM, world.ports)
    assert {stage: len(kids) for stage, kids in (await stages(world, purpose)).items()} == {Active: 1, Published: 1}
    await ensure_signing_keys(Algorithm.ES256, SYSTEM, world.ports)
    assert len(world.happened(SigningKeyCreated)) == 2 * len(Purpose)


@pytest.mark.parametrize("purpose", Purpose)
async def test_turning_the_key_of_one_purpose_leaves_those_of_others(world: World, purpose: Purpose) -> None:
    await ensure_signing_keys(Algorithm.ES256, SYSTEM, world.ports)
    before = {each: await stages(world, each) for each in Purpose}
    done = await rotate_signing_key(RotateSigningKey(purpose=purpose), SYSTEM, world.ports)
    assert before[purpose][Published] == [done.result.active]
    assert (await stages(world, purpose))[Retiring] == before[purpose][Active]
    for other in {*Purpose} - {purpose}:
        assert await stages(world, other) == before[other]


async def test_what_follows_a_revoked_key_is_for_the_same_purpose(world: World) -> None:
    await ensure_signing_keys(Algorithm.ES256, SYSTEM, world.ports)
    before = await stages(world, Purpose.SIGNALS)
    await revoke_signing_key(RevokeSigningKey(kid=before[Active][0]), SYSTEM, world.ports)
    after = await stages(world, Purpose.SIGNALS)
    assert (after[Active], len(after[Published])) == (before[Published], 1)


async def test_only_access_tokens_have_a_choice_of_algorithm(world: World) -> None:
    await ensure_signing_keys(Algorithm.ES256, SYSTEM, world.ports)
    await rotate_signing_key(RotateSigningKey(purpose=Purpose.SIGNALS, algorithm=Algorithm.EDDSA), SYSTEM, world.ports)
    assert {event.algorithm for event in created(world) if event.purpose is Purpose.SIGNALS} == {Algorithm.ES256}


async def test_rotation_promotes_the_published_key_and_retires_the_active_one(world: World) -> None:
    before = await stages(world)
    done = await rotate_signing_key(RotateSigningKey(), SYSTEM, world.ports)
    after = await stages(world)
    assert after[Active] == before[Published] == [done.result.active]
    assert after[Retiring] == before[Active] == list(done.result.retired)
    assert after[Published] == [done.result.published]


async def test_a_token_of_a_retired_key_is_good_until_it_has_expired(world: World) -> None:
    await world.register("ada")
    token = (await world.sign_in("ada")).access_token
    await rotate_signing_key(RotateSigningKey(), SYSTEM, world.ports)
    await world.principal(token)
    [retired] = (await stages(world))[Retiring]
    state = await world.state(signing_key.decider, signing_key.stream(retired))
    assert (state.verify_until - world.clock.now).total_seconds() == LONGEST_TOKEN


async def test_a_token_of_a_revoked_key_is_refused_by_whoever_still_trusts_its_signature(world: World) -> None:
    """Another process may hold the key for seconds more; strong checks read its head."""
    await world.register("ada")
    signed_in = await world.sign_in("ada")
    claims = await world.claims(signed_in.access_token)
    await identify(claims, world.ports)
    await revoke_signing_key(RevokeSigningKey(kid=Kid(claims.kid)), SYSTEM, world.ports)
    with pytest.raises(InvalidToken):
        await identify(claims, world.ports)
    with pytest.raises(InvalidToken):
        await world.claims(signed_in.access_token)


async def test_revoking_the_active_key_puts_the_next_in_its_place_at_once(world: World) -> None:
    before = await stages(world)
    await revoke_signing_key(RevokeSigningKey(kid=before[Active][0], reason=KeyRevocation.COMPROMISED), SYSTEM, world.ports)
    after = await stages(world)
    assert (after[Active], after[Revoked]) == (before[Published], before[Active])
    assert len(after[Published]) == 1
    await world.register("ada")
    await world.principal((await world.sign_in("ada")).access_token)


async def test_revoking_the_published_key_publishes_another(world: World) -> None:
    before = await stages(world)
    await revoke_signing_key(RevokeSigningKey(kid=before[Published][0]), SYSTEM, world.ports)
    after = await stages(world)
    assert (after[Active], after[Revoked]) == (before[Active], before[Published])
    assert len(after[Published]) == 1


async def test_revoking_twice_changes_nothing(world: World) -> None:
    [kid] = (await stages(world))[Active]
    assert (await revoke_signing_key(RevokeSigningKey(kid=kid), SYSTEM, world.ports)).appended
    assert not (await revoke_signing_key(RevokeSigningKey(kid=kid), SYSTEM, world.ports)).appended


async def test_a_key_nobody_made_or_made_known_cannot_be_revoked(world: World) -> None:
    for kid in (Kid("A" * 43), (await world.ports.keys.generate(Algorithm.ES256)).kid):
        with pytest.raises(NoSuchSigningKey):
            await revoke_signing_key(RevokeSigningKey(kid=kid), SYSTEM, world.ports)


async def test_of_rotations_at_once_one_wins_and_one_key_signs(world: World) -> None:
    wishes = (rotate_signing_key(RotateSigningKey(), SYSTEM, world.ports) for _ in range(4))
    answers = await asyncio.gather(*wishes, return_exceptions=True)
    assert sum(isinstance(a, Contended) for a in answers) == 3
    after = await stages(world)
    assert (len(after[Active]), len(after[Published]), len(after[Retiring])) == (1, 1, 1)


async def test_another_algorithm_has_a_key_of_its_own_and_the_first_goes_on_signing(world: World) -> None:
    await rotate_signing_key(RotateSigningKey(algorithm=Algorithm.EDDSA), SYSTEM, world.ports)
    after = await stages(world)
    states = [await world.state(signing_key.decider, signing_key.stream(kid)) for kid in after[Active]]
    assert {state.algorithm for state in states} == {Algorithm.ES256, Algorithm.EDDSA}
    assert Retiring not in after
    assert (await world.keyring.signer()).algorithm is Algorithm.ES256
    assert (await world.keyring.signer(Algorithm.EDDSA)).algorithm is Algorithm.EDDSA
