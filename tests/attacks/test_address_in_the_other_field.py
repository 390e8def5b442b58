"""A proxy that writes `X-Forwarded-For` passes a client's own `Forwarded` on unread, and the other way about."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.client_address import client_address, networks

TRUSTED = networks(["10.0.0.0/8"])
PROXY, CLIENT = "10.0.0.1", "203.0.113.9"
CHOSEN = st.one_of(st.ip_addresses(v=4).map(str), st.just("unknown"), st.just(""), st.just("10.9.9.9"), st.just('"'))


@given(CHOSEN, st.lists(CHOSEN, max_size=3))
def test_a_made_up_forwarded_field_does_not_choose_the_address(chosen: str, before: list[str]) -> None:
    written_by_the_proxy = ", ".join([*before, CLIENT]).encode()
    assert client_address(PROXY, f"for={chosen}".encode(), written_by_the_proxy, TRUSTED) in {CLIENT, PROXY}


@given(CHOSEN, st.lists(CHOSEN.map(lambda text: f"for={text}"), max_size=3))
def test_a_made_up_list_does_not_choose_the_address(chosen: str, before: list[str]) -> None:
    written_by_the_proxy = ", ".join([*before, f"for={CLIENT};proto=https"]).encode()
    assert client_address(PROXY, written_by_the_proxy, chosen.encode(), TRUSTED) in {CLIENT, PROXY}


@pytest.mark.parametrize(
    ("forwarded", "listed"), [(b"for=203.0.113.9", b"203.0.113.9"), (b"for=203.0.113.9", None), (None, b"203.0.113.9")]
)
def test_fields_that_agree_are_believed(forwarded: bytes | None, listed: bytes | None) -> None:
    assert client_address(PROXY, forwarded, listed, TRUSTED) == CLIENT
