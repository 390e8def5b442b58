import asyncio
import json

import pytest

from minos_sdk.errors import KeysUnavailable
from minos_sdk.key_cache import LONGEST_STALE_S, Answer, KeyCache
from minos_sdk.key_set import Key, UnfitKeySet, read_key_set
from minos_sdk.testing import SettableClock, SigningKey, key_set


class Issuer:
    """Counts how often it is asked; answers when it is let."""

    def __init__(self, *keys: SigningKey) -> None:
        self.body = key_set(*keys)
        self.asked = 0
        self.away = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def fetch(self) -> Answer:
        self.asked += 1
        await self.gate.wait()
        if self.away:
            raise OSError
        return Answer(self.body, "public, max-age=60")


async def test_one_look_serves_all_that_wait_for_it() -> None:
    key = SigningKey.new()
    issuer = Issuer(key)
    issuer.gate.clear()
    cache = KeyCache(issuer.fetch, clock=SettableClock())
    waiting = [asyncio.create_task(cache.find(key.kid)) for _ in range(50)]
    await asyncio.sleep(0)
    issuer.gate.set()
    assert {found.kid for found in await asyncio.gather(*waiting) if found} == {key.kid}
    assert issuer.asked == 1


async def test_attack_made_up_key_names_cause_a_look_now_and_then() -> None:
    issuer, clock = Issuer(SigningKey.new()), SettableClock()
    cache = KeyCache(issuer.fetch, clock=clock)
    for number in range(1_000):
        assert await cache.find(f"made-up-{number}") is None
        clock.advance(0.1)
    assert issuer.asked <= 14


async def test_a_new_key_is_found_by_the_token_that_names_it() -> None:
    first, second = SigningKey.new(), SigningKey.new()
    issuer, clock = Issuer(first), SettableClock()
    cache = KeyCache(issuer.fetch, clock=clock)
    await cache.find(first.kid)
    issuer.body = key_set(first, second)
    clock.advance(2)
    assert await cache.find(second.kid) is not None


async def test_an_issuer_that_is_away_is_not_asked_by_every_request() -> None:
    issuer, clock = Issuer(), SettableClock()
    issuer.away = True
    cache = KeyCache(issuer.fetch, clock=clock)
    for _ in range(20):
        with pytest.raises(KeysUnavailable):
            await cache.find("any")
    assert issuer.asked == 1


async def test_keys_are_used_on_while_the_issuer_is_away_but_not_for_ever() -> None:
    key = SigningKey.new()
    issuer, clock = Issuer(key), SettableClock()
    cache = KeyCache(issuer.fetch, clock=clock)
    await cache.find(key.kid)
    issuer.away = True
    clock.advance(LONGEST_STALE_S)
    assert cache.get(key.kid) is not None
    clock.advance(1)
    with pytest.raises(KeysUnavailable):
        cache.get(key.kid)


async def test_a_withdrawn_key_is_gone_with_the_next_set_and_whoever_listens_is_told() -> None:
    first, second = SigningKey.new(), SigningKey.new()
    issuer, clock, told = Issuer(first, second), SettableClock(), list[bool]()
    cache = KeyCache(issuer.fetch, clock=clock)
    cache.on_change(lambda: told.append(True))
    await cache.find(first.kid)
    issuer.body = key_set(second)
    clock.advance(20)
    await cache.find("another")
    assert cache.get(first.kid) is None
    assert len(told) == 2


async def test_attack_a_known_name_given_to_another_key() -> None:
    key, other = SigningKey.new(kid="one"), SigningKey.new(kid="one")
    issuer, clock = Issuer(key), SettableClock()
    cache = KeyCache(issuer.fetch, clock=clock)
    before = await cache.find("one")
    issuer.body = key_set(other)
    clock.advance(20)
    await cache.find("another")
    assert cache.get("one") == before
    assert cache.failures == 1


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"keys":{}}', b'{"keys":[],"keys":[]}', b"<html>", b'{"keys":[]}'])
async def test_garbage_leaves_what_was_known(body: bytes) -> None:
    key = SigningKey.new()
    issuer, clock = Issuer(key), SettableClock()
    cache = KeyCache(issuer.fetch, clock=clock)
    await cache.find(key.kid)
    issuer.body = body
    clock.advance(20)
    await cache.find("another")
    assert cache.get(key.kid) is not None


@pytest.mark.parametrize(
    "members",
    [
        {"alg": "HS256", "kty": "oct", "k": "c2VjcmV0"},
        {"alg": "none"},
        {"alg": "RS256"},
        {"alg": None},
        {"kid": None},
        {"kid": ""},
        {"crv": "P-384"},
        {"use": "enc"},
        {"key_ops": ["sign"]},
        {"d": "AAAA"},
        {"x": "AAAA"},
        {"x": None},
        {"y": 7},
    ],
    ids=str,
)
def test_attack_keys_of_other_kinds_are_no_keys(members: dict[str, object]) -> None:
    jwk = {name: value for name, value in {**SigningKey.new().public_jwk(), **members}.items() if value is not None}
    assert read_key_set(json.dumps({"keys": [jwk]}).encode()) == {}


def test_attack_a_short_rsa_key() -> None:
    from cryptography.hazmat.primitives.asymmetric import rsa

    weak = SigningKey("weak", "RS256", rsa.generate_private_key(public_exponent=65_537, key_size=1_024))  # noqa: S505 - that is the attack
    assert read_key_set(key_set(weak)) == {}


def test_two_keys_of_one_name_and_sets_beyond_a_size_are_refused() -> None:
    with pytest.raises(UnfitKeySet):
        read_key_set(key_set(SigningKey.new(kid="one"), SigningKey.new(kid="one")))
    with pytest.raises(UnfitKeySet):
        read_key_set(json.dumps({"keys": [{}] * 65}).encode())
    with pytest.raises(UnfitKeySet):
        read_key_set(b" " * 65_537)


@pytest.mark.parametrize("alg", ["ES256", "RS256", "PS256", "EdDSA"])
def test_every_allowed_algorithm_verifies_its_own_signatures_only(alg: str) -> None:
    key = SigningKey.new(alg)  # type: ignore[arg-type]
    found: Key = read_key_set(key_set(key))[key.kid]
    assert found.verify(b"message", key.sign(b"message"))
    assert not found.verify(b"massage", key.sign(b"message"))
    assert not found.verify(b"message", b"")
