"""HTTP to the issuer: over TLS unless it is on this machine, no redirects, answers of a bounded size, every wait with an end."""

import asyncio
from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx

from minos_sdk.key_cache import Answer, Fetch
from minos_sdk.key_set import LONGEST

TIMEOUT = httpx.Timeout(5.0, connect=2.0)
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class Unreachable(OSError):
    """The issuer gave no answer, or none of the kind asked for."""


def checked_issuer(issuer: str) -> str:
    """Give the URL paths are appended to. Raises ValueError for one that anybody on the way could read or change."""
    parts = urlsplit(issuer)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise ValueError("an issuer is an https:// URL (http:// only on this machine)")
    if parts.query or parts.fragment or parts.username:
        raise ValueError("an issuer has no query, fragment or user (RFC 8414 2)")
    return issuer.rstrip("/")


def check_audience(audience: object) -> None:
    """Raises ValueError for what no token can be for."""
    if not isinstance(audience, str) or not audience:
        raise ValueError("an audience is one name, as Minos knows it: what tokens for this service say in `aud`")


def new_client() -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=False)


def key_set_of(client: httpx.AsyncClient, url: str) -> Fetch:
    async def fetch() -> Answer:
        response = await get(client, url, longest=LONGEST)
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
