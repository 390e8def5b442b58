"""Whose request it is by address: believed only as far as the proxies in front of us are ours."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network


def networks(cidrs: Sequence[str]) -> tuple[Network, ...]:
    """Raises ValueError for what is not a network."""
    return tuple(ip_network(cidr) for cidr in cidrs)


def client_address(peer: str, forwarded: bytes | None, x_forwarded_for: bytes | None, trusted: Sequence[Network]) -> str:
    """Give the nearest address that is not one of our proxies, read from the right (RFC 7239 5.2).

    A proxy writes one of the fields and may pass on the other as a stranger wrote it: where they tell two addresses,
    neither is believed, and it is the proxy's request.
    """
    if not trusted or (forwarded is None and x_forwarded_for is None) or not _within(peer, trusted):
        return peer
    told: set[str] = set()
    if forwarded is not None:
        told.add(_nearest(peer, _forwarded_for(forwarded), trusted))
    if x_forwarded_for is not None:
        told.add(_nearest(peer, _listed(x_forwarded_for), trusted))
    return told.pop() if len(told) == 1 else peer


def _nearest(peer: str, hops: Sequence[str], trusted: Sequence[Network]) -> str:
    nearest = peer
    for hop in reversed(hops):
        address = _address(hop)
        if address is None:
            return nearest
        nearest = str(address)
        if not _within(nearest, trusted):
            return nearest
    return nearest


def source_of(address: str) -> str:
    """Give what one caller is counted under: an IPv4 address however it is written, a /64 of IPv6, since who has one has all of it."""
    parsed = _address(address)
    match parsed:
        case IPv6Address() if (mapped := parsed.ipv4_mapped) is not None:
            return str(mapped)
        case IPv6Address():
            return str(IPv6Network((int(parsed) >> 64 << 64, 64)))
        case IPv4Address():
            return str(parsed)
        case None:
            return address


def network_of(address: str) -> str | None:
    """Give the network a caller is counted under: /24 of IPv4, /48 of IPv6."""
    parsed = _address(address)
    match parsed:
        case IPv4Address():
            return str(ip_network((int(parsed) >> 8 << 8, 24)))
        case IPv6Address() if (mapped := parsed.ipv4_mapped) is not None:
            return network_of(str(mapped))
        case IPv6Address():
            return str(IPv6Network((int(parsed) >> 80 << 80, 48)))
        case None:
            return None


def _within(address: str, trusted: Sequence[Network]) -> bool:
    parsed = _address(address)
    return parsed is not None and any(parsed.version == network.version and parsed in network for network in trusted)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return ip_address(text)
    except ValueError:
        return None


def _listed(value: bytes) -> list[str]:
    return value.decode("latin-1").split(",")[-16:]


def _forwarded_for(value: bytes) -> list[str]:
    hops: list[str] = []
    for element in _listed(value):
        pairs = (pair.strip().partition("=") for pair in element.split(";"))
        hops.append(next((text for name, _, text in pairs if name.strip().lower() == "for"), ""))
    return hops
