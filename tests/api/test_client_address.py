from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.client_address import client_address, network_of, networks

TRUSTED = networks(["10.0.0.0/8", "fd00::/8"])
STRANGERS = st.ip_addresses(v=4).map(str).filter(lambda text: not text.startswith("10."))


def test_without_a_trusted_proxy_what_is_written_does_not_count() -> None:
    assert client_address("203.0.113.9", None, b"198.51.100.1", TRUSTED) == "203.0.113.9"


@given(STRANGERS, st.lists(st.text(alphabet="0123456789.:abc, ", max_size=20)))
def test_what_a_client_writes_left_of_the_proxy_never_counts(client: str, written: list[str]) -> None:
    field = ",".join([*written, client]).encode()
    assert client_address("10.0.0.1", None, field, TRUSTED) == client


@given(STRANGERS)
def test_several_of_our_proxies_are_passed_over(client: str) -> None:
    assert client_address("10.0.0.1", None, f"{client}, 10.2.2.2, 10.3.3.3".encode(), TRUSTED) == client


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (b'for=192.0.2.43;proto=https, for="[fd00::1]:4711"', "192.0.2.43"),
        (b'for="[2001:db8::17]:4711"', "2001:db8::17"),
        (b"for=unknown", "10.0.0.1"),
        (b"for=_hidden, for=10.1.1.1", "10.1.1.1"),
    ],
)
def test_forwarded_is_read_from_the_right(field: bytes, expected: str) -> None:
    assert client_address("10.0.0.1", field, None, TRUSTED) == expected


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_no_field_breaks_it(forwarded: bytes, listed: bytes) -> None:
    assert ip_address(client_address("10.0.0.1", forwarded or None, listed, TRUSTED))


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1::/48"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("", None),
        ("unix", None),
    ],
)
def test_callers_are_counted_by_network(address: str, network: str | None) -> None:
    assert network_of(address) == network
