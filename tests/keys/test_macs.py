"""One key per purpose: no value made for one is good for another (threats.md 4, 11, 14)."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from adapters.framing import framed
from adapters.macs import KeyedMacs
from adapters.secrets_store import KEY_BYTES, KeyVersions, Purpose, random_secrets

MACS = KeyedMacs(random_secrets())


def test_threat_11_the_same_name_has_another_mac_for_every_purpose() -> None:
    made = [
        MACS.claim("email", "ada@example.org").mac,
        MACS.claim("username", "ada@example.org").mac,
        MACS.login_name("ada@example.org"),
        MACS.body_digest(b"ada@example.org"),
        MACS.idempotency_key(principal="ada@example.org", method="", route="", key=""),
    ]
    assert len(set(made)) == len(made)


def test_threat_11_without_the_key_a_name_cannot_be_recognised() -> None:
    assert MACS.claim("email", "ada@example.org") != KeyedMacs(random_secrets()).claim("email", "ada@example.org")


def test_a_name_is_found_under_every_index_key_and_stored_under_the_newest() -> None:
    secrets = random_secrets()
    secrets.replace({Purpose.CLAIM_INDEX: KeyVersions(2, {1: b"1" * KEY_BYTES, 2: b"2" * KEY_BYTES})})
    macs = KeyedMacs(secrets)
    candidates = macs.claim_candidates("email", "ada@example.org")
    assert [c.index_version for c in candidates] == [1, 2]
    assert macs.claim("email", "ada@example.org") == candidates[1]


def test_threat_4_an_idempotency_key_belongs_to_principal_method_and_route() -> None:
    def key(principal: str = "user:1", method: str = "POST", route: str = "/roles", given_key: str = "k" * 22) -> bytes:
        return MACS.idempotency_key(principal=principal, method=method, route=route, key=given_key)

    others = [key(principal="user:2"), key(method="PUT"), key(route="/users"), key(given_key="l" * 22), key("user:1P", "OST")]
    assert key() == key()
    assert key() not in others


def test_devices_have_macs_of_their_own() -> None:
    assert MACS.device(UUID(int=1)) != MACS.device(UUID(int=2))


@given(st.lists(st.binary(max_size=6), max_size=4), st.lists(st.binary(max_size=6), max_size=4))
def test_two_lists_are_framed_alike_only_when_they_are_alike(one: list[bytes], other: list[bytes]) -> None:
    assert (framed(one) == framed(other)) == (one == other)
