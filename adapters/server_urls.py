"""One setting that names several servers: `postgresql://role:password@a:5432,b:5432/minos`, `nats://a:4222,b:4222`."""

import re
from urllib.parse import urlsplit

_NEXT = re.compile(r",(?=[a-z]+://)")


def each(url: str) -> tuple[str, ...]:
    """Give a URL for each server that `url` names, in its order: `url` itself where it is one, or none at all.

    Servers are separated by commas, as hosts within one URL, which have all else in common, or as URLs.
    """
    return tuple(one for several in _NEXT.split(url) for one in _of_each_host(several))


def _of_each_host(url: str) -> list[str]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return [url]
    user, at, hosts = parts.netloc.rpartition("@")
    if "," not in hosts:
        return [url]
    return [parts._replace(netloc=f"{user}{at}{host}").geturl() for host in hosts.split(",")]
