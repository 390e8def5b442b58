"""A service account gets tokens by its own credentials: for its audiences, within its permissions, and writes nothing by it."""

import time
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from adapters.jwk import public_jwk
from commands.audiences import ChangeAudience, RetireAudience, change_audience, retire_audience
from commands.authenticate_client import ShownSecret
from commands.client_credentials import (
    AddClientKey,
    RemoveClientKey,
    RemoveClientSecret,
    RotateClientSecret,
    add_client_key,
    remove_client_key,
    remove_client_secret,
    revoke_client_tokens,
    rotate_client_secret,
)
from commands.client_secrets import ClientSecret
from commands.client_token import ClientToken, GrantClientToken, grant_client_token
from commands.machines import identify_machine
from commands.service_accounts import (
    ChangeServiceAccount,
    CreateServiceAccount,
    DisableServiceAccount,
    EnableServiceAccount,
    change_service_account,
    create_service_account,
    disable_service_account,
    enable_service_account,
)
from domain import client
from domain.audience import Rules
from domain.errors import AudienceNotAllowed, InvalidClient, InvalidScope, InvalidToken, RightsExceeded, TooManyKeys, UnusableKey
from domain.ids import AudienceName, ClientId
from domain.permission import Permission
from domain.signing_key import Algorithm
from tests.commands.recording import Recording
from tests.commands.world import ISSUER, SYSTEM, World

TASKS = AudienceName("tasks")
READ, WRITE = Permission("tasks.read"), Permission("tasks.write")


async def made(world: World, *permissions: Permission, **more: Any) -> ClientSecret:
    wish = CreateServiceAccount(name="worker", audiences=more.pop("audiences", (TASKS,)), permissions=permissions, **more)
    return (await create_service_account(wish, SYSTEM, world.ports)).result


async def grant(world: World, secret: ClientSecret | ShownSecret, **more: Any) -> ClientToken:
    shown = secret if isinstance(secret, ShownSecret) else ShownSecret(client_id=secret.client_id, secret=secret.client_secret)
    return await grant_client_token(GrantClientToken(shown=shown, **more), world.ports)


async def test_a_secret_gets_a_token_of_the_service_accounts_own(world: World) -> None:
    secret = await made(world, READ, WRITE, token_ttl=120)
    token = await grant(world, secret)
    claims = await world.claims(token.access_token)
    assert (claims.sub, claims.client_id, claims.aud, claims.principal) == (secret.client_id, secret.client_id, "tasks", "service")
    assert (token.expires_in, claims.exp - claims.iat, token.scope, claims.scope) == (120, 120, "tasks.read tasks.write", token.scope)
    assert (claims.sid, claims.roles, claims.amr) == ("", (), ())


async def test_a_grant_is_one_read_and_writes_nothing(world: World) -> None:
    secret = await made(world, READ)
    await grant(world, secret, audience=TASKS)
    calls: list[str] = []
    written = len(world.memory.log)
    world.use(store=Recording("store", world.store, calls))
    await grant(world, secret, audience=TASKS)
    assert calls == ["store.load(2)"]
    assert len(world.memory.log) == written


async def test_a_wrong_secret_anothers_and_an_unknown_client_are_refused_alike(world: World) -> None:
    mine, others = await made(world, READ), await made(world, READ)
    for name, secret in (
        (mine.client_id, others.client_secret),
        (mine.client_id, mine.client_secret[:-1] + ("y" if mine.client_secret.endswith("x") else "x")),
        (ClientId("client_nobody"), mine.client_secret),
    ):
        with pytest.raises(InvalidClient):
            await grant(world, ShownSecret(client_id=name, secret=secret))


@pytest.mark.parametrize("audience", [None, TASKS])
async def test_an_unknown_client_costs_as_many_reads_as_a_known_one(world: World, audience: AudienceName | None) -> None:
    known = await made(world)
    calls: list[str] = []
    world.use(store=Recording("store", world.ports.store, calls))
    asked: list[list[str]] = []
    for client_id in (known.client_id, ClientId("client_nobody")):
        with pytest.raises(InvalidClient):
            await grant(world, ShownSecret(client_id=client_id, secret="mcs_wrong"), audience=audience)
        asked.append(calls[:])
        calls.clear()
    assert asked[0] == asked[1] != []


async def test_naming_someone_elses_client_id_locks_nobody_out(world: World) -> None:
    mine, others = await made(world, READ), await made(world, READ)
    for _ in range(200):
        with pytest.raises(InvalidClient):
            await grant(world, ShownSecret(client_id=mine.client_id, secret=others.client_secret))
    await grant(world, mine)


async def test_a_scope_narrows_and_never_widens(world: World) -> None:
    secret = await made(world, Permission("tasks.*"))
    assert (await grant(world, secret, permissions=(READ,))).scope == "tasks.read"
    for wanted in ((Permission("notes.read"),), (Permission("*"),), (Permission("minos.users.read"),)):
        with pytest.raises(InvalidScope):
            await grant(world, secret, permissions=wanted)


async def test_no_token_is_for_an_audience_that_is_not_its_own_or_not_any_more(world: World) -> None:
    secret = await made(world, READ)
    for audience in ("notes", "minos", "made-up"):
        with pytest.raises(AudienceNotAllowed):
            await grant(world, secret, audience=AudienceName(audience))
    await change_audience(ChangeAudience(audience=TASKS, rules=Rules(clients=(ClientId("client_other"),))), SYSTEM, world.ports)
    with pytest.raises(AudienceNotAllowed):
        await grant(world, secret)
    await retire_audience(RetireAudience(audience=TASKS), SYSTEM, world.ports)
    with pytest.raises(AudienceNotAllowed):
        await grant(world, secret)


async def test_of_several_audiences_one_has_to_be_named(world: World) -> None:
    secret = await made(world, READ, audiences=(TASKS, AudienceName("notes")))
    with pytest.raises(AudienceNotAllowed):
        await grant(world, secret)
    assert (await world.claims((await grant(world, secret, audience=AudienceName("notes"))).access_token)).aud == "notes"


async def test_what_may_be_done_at_minos_is_in_no_token_for_another(world: World) -> None:
    """A downstream token good at the issuer: neither its audience nor its scope would do."""
    secret = await made(world, Permission("minos.users.read"), READ, audiences=(TASKS, AudienceName("minos")))
    assert (await grant(world, secret, audience=TASKS)).scope == "tasks.read"
    assert (await grant(world, secret, audience=AudienceName("minos"))).scope == "minos.users.read"


async def test_two_secrets_live_while_a_deploy_turns_them(world: World) -> None:
    first = await made(world, READ)
    second = (await rotate_client_secret(RotateClientSecret(client_id=first.client_id, overlap=600), SYSTEM, world.ports)).result
    await grant(world, first)
    await grant(world, second)
    third = (await rotate_client_secret(RotateClientSecret(client_id=first.client_id, overlap=600), SYSTEM, world.ports)).result
    with pytest.raises(InvalidClient):
        await grant(world, first)
    await grant(world, second)
    world.clock.forward(600)
    with pytest.raises(InvalidClient):
        await grant(world, second)
    await grant(world, third)


async def test_a_secret_ends_when_it_was_to(world: World) -> None:
    secret = await made(world, READ, secret_ttl=3_600)
    world.clock.forward(3_600)
    with pytest.raises(InvalidClient):
        await grant(world, secret)


async def test_a_removed_secret_is_worth_nothing_and_neither_is_what_it_got(world: World) -> None:
    secret = await made(world, READ)
    claims = await world.claims((await grant(world, secret)).access_token)
    await remove_client_secret(RemoveClientSecret(client_id=secret.client_id, secret_id=secret.secret_id), SYSTEM, world.ports)
    with pytest.raises(InvalidClient):
        await grant(world, secret)
    with pytest.raises(InvalidToken):
        await identify_machine(claims, world.ports)


async def test_its_tokens_are_revocable_at_once_and_its_secret_goes_on(world: World) -> None:
    secret = await made(world, READ)
    claims = await world.claims((await grant(world, secret)).access_token)
    await identify_machine(claims, world.ports)
    await revoke_client_tokens(secret.client_id, SYSTEM, world.ports)
    with pytest.raises(InvalidToken):
        await identify_machine(claims, world.ports)
    await identify_machine(await world.claims((await grant(world, secret)).access_token), world.ports)


async def test_losing_a_permission_or_an_audience_ends_its_tokens_and_gaining_one_does_not(world: World) -> None:
    secret = await made(world, READ, WRITE)
    claims = await world.claims((await grant(world, secret)).access_token)
    wider = ChangeServiceAccount(client_id=secret.client_id, audiences=(TASKS, AudienceName("notes")), name="renamed")
    await change_service_account(wider, SYSTEM, world.ports)
    await identify_machine(claims, world.ports)
    await change_service_account(ChangeServiceAccount(client_id=secret.client_id, permissions=(READ,)), SYSTEM, world.ports)
    with pytest.raises(InvalidToken):
        await identify_machine(claims, world.ports)


async def test_a_disabled_service_account_gets_nothing_until_it_is_enabled(world: World) -> None:
    secret = await made(world, READ)
    await disable_service_account(DisableServiceAccount(client_id=secret.client_id), SYSTEM, world.ports)
    with pytest.raises(InvalidClient):
        await grant(world, secret)
    await enable_service_account(EnableServiceAccount(client_id=secret.client_id), SYSTEM, world.ports)
    await grant(world, secret)


async def test_threat_6_nobody_turns_the_secret_of_what_may_do_more_than_they(world: World) -> None:
    """Or a secret of one's own would be a way to all that the service account may do."""
    secret = await made(world, READ)
    ctx = await world.enter("ada")
    with pytest.raises(RightsExceeded):
        await rotate_client_secret(RotateClientSecret(client_id=secret.client_id), ctx, world.ports)
    with pytest.raises(RightsExceeded):
        await change_service_account(ChangeServiceAccount(client_id=secret.client_id, name="mine"), ctx, world.ports)


def signed(world: World, client_id: str, key: PrivateKeyTypes, *, alg: str = "ES256", headers: Any = None, **claims: Any) -> str:
    now = int(world.clock.now.timestamp())
    said = {"iss": client_id, "sub": client_id, "aud": ISSUER, "exp": now + 60, "iat": now, "jti": str(uuid4())} | claims
    return jwt.encode(said, key, algorithm=alg, headers=headers)  # type: ignore[arg-type]  # of the kinds PyJWT takes


async def with_key(world: World) -> tuple[ClientSecret, ec.EllipticCurvePrivateKey]:
    secret, key = await made(world, READ), ec.generate_private_key(ec.SECP256R1())
    wish = AddClientKey(client_id=secret.client_id, algorithm=Algorithm.ES256, public=public_jwk(key.public_key()))
    await add_client_key(wish, SYSTEM, world.ports)
    return secret, key


async def assert_in(world: World, text: str) -> ClientToken:
    shown = world.ports.assertions.read(text)
    if shown is None:
        raise InvalidClient
    return await grant_client_token(GrantClientToken(shown=shown), world.ports)


async def test_an_assertion_proves_a_client_and_whoever_signs_with_either_s(world: World) -> None:
    secret, key = await with_key(world)
    for _ in range(6):
        assert (await assert_in(world, signed(world, secret.client_id, key))).scope == "tasks.read"
    await assert_in(world, signed(world, secret.client_id, key, aud=[f"{ISSUER}/oauth2/token"]))


async def test_private_key_jwt_replay(world: World) -> None:
    secret, key = await with_key(world)
    text = signed(world, secret.client_id, key)
    await assert_in(world, text)
    for _ in range(2):
        with pytest.raises(InvalidClient):
            await assert_in(world, text)


async def test_a_forged_assertion_does_not_use_up_a_genuine_ones_id(world: World) -> None:
    secret, key = await with_key(world)
    stranger = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(InvalidClient):
        await assert_in(world, signed(world, secret.client_id, stranger, jti="the-one"))
    await assert_in(world, signed(world, secret.client_id, key, jti="the-one"))


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "https://elsewhere.test"},
        {"aud": ISSUER + "/"},
        {"aud": [ISSUER, "https://elsewhere.test"]},
        {"aud": []},
        {"iss": "client_other"},
        {"exp": 0},
        {"exp": 4_000_000_000},
        {"exp": 10**400},
        {"iat": 10**400},
        {"nbf": -(10**400)},
        {"nbf": 4_000_000_000},
        {"jti": ""},
        {"jti": "j" * 256},
    ],
)
async def test_an_assertion_for_another_or_for_too_long_is_refused(world: World, claims: dict[str, Any]) -> None:
    secret, key = await with_key(world)
    with pytest.raises(InvalidClient):
        await assert_in(world, signed(world, secret.client_id, key, **claims))


@pytest.mark.parametrize("header", [{"jku": "https://evil.test/keys"}, {"crit": ["exp"]}, {"typ": "at+jwt"}, {"x5u": "https://evil.test"}])
async def test_a_header_that_says_more_is_refused(world: World, header: dict[str, Any]) -> None:
    secret, key = await with_key(world)
    with pytest.raises(InvalidClient):
        await assert_in(world, signed(world, secret.client_id, key, headers=header))


async def test_none_and_hmac_with_the_public_key_are_refused(world: World) -> None:
    secret, _ = await with_key(world)
    now = int(time.time())
    said = {"iss": secret.client_id, "sub": secret.client_id, "aud": ISSUER, "exp": now + 60, "jti": "j"}
    for text in (jwt.encode(said, "", algorithm="none"), jwt.encode(said, "k" * 64, algorithm="HS256")):
        with pytest.raises(InvalidClient):
            await assert_in(world, text)


async def test_a_withdrawn_key_proves_nothing(world: World) -> None:
    secret, key = await with_key(world)
    [known] = client.registered(await world.state(client.decider, client.stream(secret.client_id))).keys
    await remove_client_key(RemoveClientKey(client_id=secret.client_id, kid=known.kid), SYSTEM, world.ports)
    with pytest.raises(InvalidClient):
        await assert_in(world, signed(world, secret.client_id, key))


async def test_keys_that_are_weak_too_many_or_of_another_kind_are_refused(world: World) -> None:
    secret = await made(world, READ)

    async def add(key: Any, algorithm: Algorithm) -> None:
        wish = AddClientKey(client_id=secret.client_id, algorithm=algorithm, public=public_jwk(key.public_key()))
        await add_client_key(wish, SYSTEM, world.ports)

    weak = rsa.generate_private_key(public_exponent=65_537, key_size=1_024)  # noqa: S505 - what is to be refused
    with pytest.raises(UnusableKey):
        await add(weak, Algorithm.RS256)
    with pytest.raises(UnusableKey):
        await add(ec.generate_private_key(ec.SECP256R1()), Algorithm.EDDSA)
    for _ in range(client.MOST_KEYS):
        await add(ec.generate_private_key(ec.SECP256R1()), Algorithm.ES256)
    with pytest.raises(TooManyKeys):
        await add(ec.generate_private_key(ec.SECP256R1()), Algorithm.ES256)
