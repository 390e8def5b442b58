"""The limits by address and network as a configuration of nginx, for what must not even reach us: the same policy, counted there.

nginx counts as we do, a bucket that fills again (`limit_req`, with its whole size as `burst` and no delay); rates that it cannot
express, which are those below one a minute and fractions of one, are rounded up. Accounts and login names it cannot know.
"""

import math
import re
from collections.abc import Iterable, Iterator

from adapters.limits.policy import DEFAULT, Kind, LimitClass, Limits, Rate
from api.addresses import Served

PARTS = ("http", "server")
_EDGE_KINDS = (Kind.ADDRESS, Kind.NETWORK)
_PEERS = """
# Whom nginx speaks to: IPv6 by /64 and /48 (an abbreviated address by what is before its `::`), IPv4 written as IPv6 as IPv4.
map $remote_addr $minos_address {
    default $remote_addr;
    "~*^::ffff:(?<minos_v4>[0-9.]+)$" $minos_v4;
    "~*^(?<minos_64>(?:[0-9a-f]+:){4})" $minos_64;
    "~*^(?<minos_short>(?:[0-9a-f]+:){1,3}):" $minos_short;
}
map $remote_addr $minos_network {
    default $remote_addr;
    "~*^(?:::ffff:)?(?<minos_24>[0-9]+\\.[0-9]+\\.[0-9]+)\\.[0-9]+$" $minos_24;
    "~*^(?<minos_48>(?:[0-9a-f]+:){3})" $minos_48;
    "~*^(?<minos_wide>(?:[0-9a-f]+:){1,2}):" $minos_wide;
}""".strip()


def written(part: str, limits: Limits, served: Iterable[Served]) -> str:
    """Write what belongs into `http`, or into the `server` that passes requests on to Minos."""
    lines = _http(limits, list(served)) if part == "http" else _server(limits)
    return "\n".join([f"# Made by `minos limits nginx {part}`; edits here are lost.", *lines, ""])


def _http(limits: Limits, served: list[Served]) -> Iterator[str]:
    yield _PEERS
    yield 'map "$request_method $uri" $minos_class {'
    yield f"    default {_value(DEFAULT)};"
    for each in served:
        name = limits.of(each.operation).name
        if name != DEFAULT:
            yield f'    "{_pattern(each)}" {_value(name)};'
    yield "}"
    for limited in limits.classes.values():
        for kind in _EDGE_KINDS:
            if limited.rates.get(kind):
                yield f'map $minos_class ${_key(limited, kind)} {{ default ""; {_value(limited.name)} $minos_{kind}; }}'
    for limited, kind, rate in _zones(limits):
        yield f"limit_req_zone ${_key(limited, kind)} zone={_key(limited, kind)}_{rate.seconds}:10m rate={_per_time(rate)};"


def _server(limits: Limits) -> Iterator[str]:
    yield "limit_req_status 429;"
    for limited, kind, rate in _zones(limits):
        burst = f" burst={rate.amount - 1} nodelay" if rate.amount > 1 else ""
        yield f"limit_req zone={_key(limited, kind)}_{rate.seconds}{burst};"


def _zones(limits: Limits) -> Iterator[tuple[LimitClass, Kind, Rate]]:
    for limited in limits.classes.values():
        for kind in _EDGE_KINDS:
            for rate in limited.rates.get(kind, ()):
                yield limited, kind, rate


def _key(limited: LimitClass, kind: Kind) -> str:
    return f"minos_{limited.name}_{kind}"


def _value(name: str) -> str:
    """A class as a value in a map, where some words mean something else."""
    return f"is_{name}"


def _pattern(served: Served) -> str:
    method = "(?:GET|HEAD)" if served.method == "GET" else served.method
    path = "/".join("[^/]+" if segment.startswith("{") else re.escape(segment) for segment in served.path.split("/"))
    return f"~^{method} {path}$"


def _per_time(rate: Rate) -> str:
    """nginx takes whole numbers, per second or per minute."""
    if rate.amount % rate.seconds == 0:
        return f"{rate.amount // rate.seconds}r/s"
    return f"{math.ceil(rate.amount * 60 / rate.seconds)}r/m"
