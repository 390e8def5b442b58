"""HTTP to the issuer: over TLS unless it is on this machine, no redirects, answers of a bounded size, every wait with an end."""

import asyncio
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

import httpx

from minos_sdk import given
from minos_sdk.key_cache import Answer, Fetch, KeyCache
from minos_sdk.key_set import LONGEST
from minos_sdk.ports import Clock, KeySource

TIMEOUT = httpx.Timeout(5.0, connect=2.0)
_URL = given.Shape(r"https?://[!-\[\]-~]+", "as https://auth.example")
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class Unreachable(OSError):
    """The issuer gave no answer, or none of the kind asked for."""


def checked_issuer(issuer: str, *, name: str = "issuer") -> str:
    """Give the URL paths are appended to. Raises ValueError for one that anybody on the way could read or change."""
    given.text(name, issuer, "the URL of Minos", shape=_URL)
    parts = urlsplit(issuer)
    if not parts.hostname or (parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK)):
        raise ValueError(f"{name} is an https:// URL with a host (http:// only on this machine)")
    if set("?#") & set(issuer) or "@" in parts.netloc:
        raise ValueError(f"{name} has no query, fragment or user (RFC 8414 2)")
    return issuer.rstrip("/")


def new_client() -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=False)


class OwnedClient:
    """One that is given stays its owner's to close. One's own is made when it is needed, since reading the machine's certificates takes
    long, and anew where it was closed, since applications are started again."""

    def __init__(self, http: httpx.AsyncClient | None, make: Callable[[], httpx.AsyncClient] = new_client) -> None:
        if http is not None:
            given.one_of("http", http, httpx.AsyncClient, "an httpx.AsyncClient")
        self._given = http
        self._own: httpx.AsyncClient | None = None
        self._make = make

    def get(self) -> httpx.AsyncClient:
        if self._given is not None:
            return self._given
        if self._own is None:
            self._own = self._make()
        return self._own

    async def close(self) -> None:
        own, self._own = self._own, None
        if own is not None:
            await own.aclose()

    def keys(self, name: str, source: KeySource | None, url: str, clock: Clock) -> KeySource:
        """Give the key set that is given, or else the one that is published there."""
        if source is None:
            return KeyCache(key_set_of(self, url), clock=clock)
        given.able(name, source, "get", "find", "run", "on_change", wanted="where the issuer's keys are, as FixedKeys(...)")
        return source


def key_set_of(client: OwnedClient, url: str) -> Fetch:
    async def fetch() -> Answer:
        response = await get(client.get(), url, longest=LONGEST)
        if response.status_code != 200:
            raise Unreachable(f"the key set answered {response.status_code}")
        return Answer(response.content, response.headers.get("cache-control", ""))

    return fetch


async def get(
    client: httpx.AsyncClient, url: str, *, longest: int, headers: Mapping[str, str] | None = None, within: float = 10.0
) -> httpx.Response:
    """Give an answer that was read whole, within so many seconds. Raises Unreachable."""
    try:
        async with asyncio.timeout(within), client.stream("GET", url, headers=dict(headers or {}), follow_redirects=False) as response:
            body = bytearray()
            async for piece in response.aiter_bytes():
                body += piece
                if len(body) > longest:
                    raise Unreachable("an answer is too long")
            return httpx.Response(response.status_code, headers=_plain(response.headers), content=bytes(body))
    except (httpx.HTTPError, TimeoutError) as error:
        raise Unreachable(f"the issuer cannot be reached: {type(error).__name__}") from None


def _plain(headers: httpx.Headers) -> dict[str, str]:
    """Without what was undone when the body was read."""
    return {name: value for name, value in headers.items() if name not in ("content-encoding", "content-length", "transfer-encoding")}
