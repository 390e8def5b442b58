"""An assertion for a service account that nobody knows costs what one for a known account costs."""

from collections.abc import AsyncIterator

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from adapters.hashing.hasher import Argon2Hasher
from commands.service_accounts import DeleteServiceAccount, DisableServiceAccount, delete_service_account, disable_service_account
from domain.errors import InvalidClient
from domain.signing_key import Algorithm
from tests.commands.recording import Recording
from tests.commands.test_client_token import READ, assert_in, made, signed, with_key
from tests.commands.world import SYSTEM, World, make_world

STRANGERS: dict[Algorithm, PrivateKeyTypes] = {
    Algorithm.ES256: ec.generate_private_key(ec.SECP256R1()),
    Algorithm.EDDSA: ed25519.Ed25519PrivateKey.generate(),
    Algorithm.RS256: rsa.generate_private_key(65_537, 2_048),
}
STRANGERS[Algorithm.PS256] = STRANGERS[Algorithm.RS256]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    hasher = Argon2Hasher(memory_kib=8, passes=1, threads=1)
    yield await make_world(hasher)
    hasher.close()


async def clients(world: World) -> dict[str, str]:
    (known, _), (disabled, _), (deleted, _) = [await with_key(world) for _ in range(3)]
    await disable_service_account(DisableServiceAccount(client_id=disabled.client_id), SYSTEM, world.ports)
    await delete_service_account(DeleteServiceAccount(client_id=deleted.client_id), SYSTEM, world.ports)
    keyless = await made(world, READ)
    return {
        "known": known.client_id, "disabled": disabled.client_id, "deleted": deleted.client_id, "without keys": keyless.client_id,
        "unknown": "client_nobody",
    }  # fmt: skip


@pytest.mark.parametrize("algorithm", Algorithm)
@pytest.mark.parametrize("kid", [None, "of-no-key"])
async def test_an_assertion_that_proves_nothing_costs_the_same_for_all(world: World, algorithm: Algorithm, kid: str | None) -> None:
    seen: dict[str, list[str]] = {}
    inner = world.ports.assertions
    headers = None if kid is None else {"kid": kid}
    for which, client_id in (await clients(world)).items():
        calls = seen[which] = []
        world.use(assertions=Recording("assertions", inner, calls))
        with pytest.raises(InvalidClient):
            await assert_in(world, signed(world, client_id, STRANGERS[algorithm], alg=algorithm, headers=headers))
    assert {which for which, calls in seen.items() if calls != seen["known"]} == set()
    assert "assertions.is_signed_by()" in seen["known"]


@pytest.mark.parametrize("algorithm", Algorithm)
async def test_the_key_that_is_nobodys_proves_nothing(world: World, algorithm: Algorithm) -> None:
    shown = world.ports.assertions.read(signed(world, "client_nobody", STRANGERS[algorithm], alg=algorithm))
    assert shown is not None
    assert world.ports.assertions.is_signed_by(shown, None) is False
