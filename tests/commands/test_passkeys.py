"""Passkeys: made, used after a password and without one, shown again, named, counted."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from commands.enrol_passkey import RegisterPasskey, RenameFactor, offer_passkey, register_passkey, rename_factor
from commands.enrol_totp import offer_totp
from commands.grant_role import GrantRole, grant_role
from commands.own_factors import list_factors, remove_factor, switch_factor_off
from commands.reauthenticate import ProvingFactor, Reauthenticate, ask_for_proof, reauthenticate
from commands.sign_in_challenge import LIFE, Factor, FactorRequired
from commands.suspend_user import SuspendUser, suspend_user
from domain.assurance import Acr
from domain.errors import (
    InvalidChallenge,
    InvalidCredentials,
    InvalidFactor,
    NoSuchFactor,
    ProofIncomplete,
    ReauthenticationRequired,
)
from domain.factor_events import FactorRemoved, PasskeyRegressed, PasskeyUsed
from domain.role import ADMIN
from domain.session_events import Reauthenticated, SessionStarted
from tests.commands.authenticator import challenged, complete, enrolled
from tests.commands.passkeys import asked, complete_with, enter, made
from tests.commands.world import ISSUER, PASSWORD, SYSTEM, World
from tests.software_key import EcKey, EdKey, RsaKey, SoftwareKey


@pytest.mark.parametrize("kind", [EcKey, EdKey, RsaKey])
async def test_a_passkey_of_each_algorithm_signs_in_without_a_name(world: World, kind: Any) -> None:
    ctx = await world.enter("ada")
    key, _ = await made(ctx, world, SoftwareKey(ISSUER, kind()))
    signed_in = await enter(world, key)
    claims = await world.claims(signed_in.access_token)
    assert (claims.acr, claims.amr) == (Acr.PHISHING_RESISTANT, ("pop", "user", "mfa"))
    assert ctx.principal is not None
    assert signed_in.user_id == ctx.principal.user_id


async def test_a_key_without_a_counter_signs_in_as_often_as_it_likes(world: World) -> None:
    key, _ = await made(await world.enter("ada"), world, SoftwareKey(ISSUER, counts=False))
    for _ in range(3):
        await enter(world, key)
    assert len(world.happened(PasskeyUsed)) == 3


async def test_a_passkey_signs_in_for_the_audience_that_was_asked_for(world: World) -> None:
    key, _ = await made(await world.enter("ada"), world)
    signed_in = await enter(world, key, await asked(world, audience="tasks", device_name="laptop"))
    assert (await world.claims(signed_in.access_token)).aud == "tasks"
    assert (await world.session_of(signed_in.session_id)).audiences == ("tasks",)


async def test_with_a_passkey_a_password_alone_is_not_enough(world: World) -> None:
    key, first = await made(await world.enter("ada"), world)
    assert len(first.recovery_codes) == 10
    answer = await world.show_password("ada")
    assert isinstance(answer, FactorRequired)
    assert [choice.factor for choice in answer.factors] == [Factor.PASSKEY, Factor.RECOVERY_CODE]
    world.clock.forward(1)
    answer = await world.show_password("ada")
    assert isinstance(answer, FactorRequired)
    signed_in = await complete_with(world, answer, key)
    assert (await world.claims(signed_in.access_token)).amr == ("pwd", "pop", "user", "mfa")


async def test_several_passkeys_have_names_of_their_own(world: World) -> None:
    ctx = await world.enter("ada")
    assert ctx.principal is not None
    one, enrolled_one = await made(ctx, world, name="laptop")
    ctx = await world.ctx(await enter(world, one))
    two, _ = await made(ctx, world, name="telephone")
    for key in (one, two):
        await enter(world, key)
    await rename_factor(enrolled_one.factor_id, RenameFactor(name="old laptop"), ctx, world.ports)
    views = (await list_factors(ctx.principal.user_id, world.ports)).data  # type: ignore[union-attr]
    assert [view.name for view in views] == ["old laptop", "telephone"]
    payloads = b"".join(stored.payload for stored in world.memory.log)
    assert b"laptop" not in payloads
    assert one.credential_id.hex().encode() not in payloads


async def test_an_authenticator_that_has_a_passkey_is_told_not_to_make_another(world: World) -> None:
    key, _ = await made(await world.enter("ada"), world)
    ctx = await world.ctx(await enter(world, key))
    offer = await offer_passkey(ctx, world.ports)
    (known,) = offer.options["excludeCredentials"]
    again = key.make(offer.options)
    assert known["id"] == again["id"]
    wish = {"challenge": offer.challenge, "attestation": again}
    with pytest.raises(InvalidFactor):
        await register_passkey(msgspec.convert(wish, RegisterPasskey), ctx, world.ports)


async def test_a_passkey_changes_factors_and_a_code_does_not_where_there_is_one(world: World) -> None:
    ctx = await world.enter("ada")
    telephone = await enrolled(ctx, world)
    ctx = await world.ctx(await complete(world, await challenged(world), telephone.next_code()))
    key, _ = await made(ctx, world)
    world.clock.forward(1)
    with pytest.raises(ReauthenticationRequired):
        await offer_totp(ctx, world.ports)
    await offer_totp(await world.ctx(await enter(world, key)), world.ports)


async def test_an_administrator_takes_no_factor_of_their_own_by_the_administrators_way(world: World) -> None:
    ctx = await world.enter("ada")
    telephone = await enrolled(ctx, world)
    ctx = await world.ctx(await complete(world, await challenged(world), telephone.next_code()))
    assert ctx.principal is not None
    await grant_role(GrantRole(user_id=ctx.principal.user_id, role=ADMIN), SYSTEM, world.ports)
    key, done = await made(ctx, world)
    world.clock.forward(1)
    with pytest.raises(ReauthenticationRequired):
        await switch_factor_off(ctx.principal.user_id, done.factor_id, ctx, world.ports)
    await switch_factor_off(ctx.principal.user_id, done.factor_id, await world.ctx(await enter(world, key)), world.ports)


async def test_what_was_taken_away_signs_nobody_in(world: World) -> None:
    key, done = await made(await world.enter("ada"), world)
    ctx = await world.ctx(await enter(world, key))
    await remove_factor(done.factor_id, ctx, world.ports)
    with pytest.raises(InvalidFactor):
        await enter(world, key)
    with pytest.raises(NoSuchFactor):
        await rename_factor(done.factor_id, RenameFactor(name="gone"), ctx, world.ports)
    await world.sign_in("ada")


async def test_a_suspended_user_is_refused_as_a_stranger_is(world: World) -> None:
    ctx = await world.enter("ada")
    key, _ = await made(ctx, world)
    assert ctx.principal is not None
    await suspend_user(SuspendUser(user_id=ctx.principal.user_id), SYSTEM, world.ports)
    with pytest.raises(InvalidFactor):
        await enter(world, key)


async def test_a_passkey_proves_who_is_there_again(world: World) -> None:
    key, _ = await made(await world.enter("ada"), world)
    signed_in = await enter(world, key)
    ctx, began = await world.ctx(signed_in), world.clock.timestamp()
    world.clock.forward(100)
    ask = await ask_for_proof(ctx, world.ports)
    wish = {"factor": "passkey", "challenge": ask.challenge, "assertion": key.sign(ask.options)}
    proof = (await reauthenticate(msgspec.convert(wish, Reauthenticate), ctx, world.ports)).result
    claims = await world.claims(proof.access_token)
    assert (claims.acr, claims.auth_time) == (Acr.PHISHING_RESISTANT, began + 100)
    with pytest.raises(InvalidFactor):
        await reauthenticate(msgspec.convert(wish, Reauthenticate), ctx, world.ports)


async def test_a_proof_asked_for_in_one_session_is_none_in_another(world: World) -> None:
    key, _ = await made(await world.enter("ada"), world)
    one, other = await world.ctx(await enter(world, key)), await world.ctx(await enter(world, key))
    world.clock.forward(1)
    asked_there = await ask_for_proof(one, world.ports)
    for ask in (asked_there, await asked(world)):
        wish = {"factor": "passkey", "challenge": ask.challenge, "assertion": key.sign(ask.options)}
        with pytest.raises(InvalidChallenge):
            await reauthenticate(msgspec.convert(wish, Reauthenticate), other, world.ports)
    world.clock.forward(LIFE)
    wish = {"factor": "passkey", "challenge": asked_there.challenge, "assertion": key.sign(asked_there.options)}
    with pytest.raises(InvalidChallenge):
        await reauthenticate(msgspec.convert(wish, Reauthenticate), one, world.ports)


async def test_a_token_says_what_was_shown_for_it_and_counts_two_only_when_two_were(world: World) -> None:
    telephone = await enrolled(await world.enter("ada"), world)
    ctx = await world.ctx(await complete(world, await challenged(world), telephone.next_code()))
    wishes = [
        (Reauthenticate(password=PASSWORD), Acr.ONE_FACTOR, ("pwd",)),
        (Reauthenticate(factor=ProvingFactor.TOTP, code=telephone.next_code()), Acr.ONE_FACTOR, ("otp",)),
    ]
    for wish, acr, amr in wishes:
        claims = await world.claims((await reauthenticate(wish, ctx, world.ports)).result.access_token)
        assert (claims.acr, claims.amr) == (acr, amr)
    both = Reauthenticate(password=PASSWORD, factor=ProvingFactor.TOTP, code=telephone.next_code())
    claims = await world.claims((await reauthenticate(both, ctx, world.ports)).result.access_token)
    assert (claims.acr, claims.amr) == (Acr.TWO_FACTOR, ("pwd", "otp", "mfa"))


async def test_a_wrong_code_proves_nothing_even_with_a_right_password(world: World) -> None:
    telephone = await enrolled(await world.enter("ada"), world)
    ctx = await world.ctx(await complete(world, await challenged(world), telephone.next_code()))
    for wish in (
        Reauthenticate(password=PASSWORD, factor=ProvingFactor.TOTP, code=telephone.wrong_code()),
        Reauthenticate(factor=ProvingFactor.TOTP, code=telephone.code()),
        Reauthenticate(factor=ProvingFactor.TOTP, code=telephone.recovery_codes[0]),
    ):
        with pytest.raises(InvalidFactor):
            await reauthenticate(wish, ctx, world.ports)
    with pytest.raises(InvalidCredentials):
        await reauthenticate(Reauthenticate(password="wrong", factor=ProvingFactor.TOTP, code=telephone.next_code()), ctx, world.ports)
    assert world.happened(Reauthenticated) == []


@pytest.mark.parametrize("wish", [{}, {"code": "123456"}, {"factor": "totp"}, {"factor": "passkey", "code": "1"}, {"factor": "passkey"}])
async def test_something_whole_has_to_be_shown(world: World, wish: dict[str, str]) -> None:
    ctx = await world.enter("ada")
    with pytest.raises(ProofIncomplete):
        await reauthenticate(msgspec.convert(wish, Reauthenticate), ctx, world.ports)


async def test_recovery_codes_are_no_way_to_prove_it_again() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"factor": "recovery_code", "code": "abcd-abcd-abcd"}, Reauthenticate)


async def test_an_administrator_takes_a_lost_factor_away(world: World) -> None:
    ctx = await world.enter("ada")
    assert ctx.principal is not None
    _, done = await made(ctx, world)
    await switch_factor_off(ctx.principal.user_id, done.factor_id, SYSTEM, world.ports)
    (event,) = world.happened(FactorRemoved)
    assert isinstance(event, FactorRemoved)
    assert event.why == "administrator"
    await world.sign_in("ada")
    with pytest.raises(NoSuchFactor):
        await switch_factor_off(ctx.principal.user_id, done.factor_id, SYSTEM, world.ports)


async def test_a_copy_that_is_noticed_is_shown_to_its_owner_and_begins_nothing(world: World) -> None:
    ctx = await world.enter("ada")
    assert ctx.principal is not None
    key, _ = await made(ctx, world)
    await enter(world, key)
    began = len(world.happened(SessionStarted))
    with pytest.raises(InvalidFactor):
        await enter(world, key, count=1)
    assert len(world.happened(PasskeyRegressed)) == 1
    assert len(world.happened(SessionStarted)) == began
    (view,) = (await list_factors(ctx.principal.user_id, world.ports)).data
    assert view.regressed_at is not None
    await enter(world, key)


async def test_an_offer_is_for_whom_it_was_made(world: World) -> None:
    ctx, other = await world.enter("ada"), await world.enter("bob")
    offer = await offer_passkey(ctx, world.ports)
    key = SoftwareKey(ISSUER)
    wish = msgspec.convert({"challenge": offer.challenge, "attestation": key.make(offer.options)}, RegisterPasskey)
    with pytest.raises(InvalidChallenge):
        await register_passkey(wish, other, world.ports)
    await register_passkey(wish, ctx, world.ports)
    again = replace(wish, name="again")
    with pytest.raises((InvalidChallenge, InvalidFactor, ReauthenticationRequired)):
        await register_passkey(again, ctx, world.ports)
