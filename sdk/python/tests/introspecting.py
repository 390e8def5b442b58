"""Minos as a service that asks about API keys sees it, and what the service hears."""

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs
from zlib import crc32

import httpx

from minos_sdk.api_keys import ApiKeys
from minos_sdk.client_credentials import ClientSecret
from minos_sdk.facts import Fact

URL = "https://auth.example"


DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def written(n: int) -> str:
    """Write the nth key as Minos does."""
    text, number, check = f"mk_dev_{n:032x}_{'A' * 43}", 0, ""
    number = crc32(text.encode())
    for _ in range(6):
        number, digit = divmod(number, 62)
        check = DIGITS[digit] + check
    return text + check


KEY = written(1)


class Feed:
    """What a verifier knows."""

    def __init__(self) -> None:
        self.is_blind = False
        self.heard: list[Callable[[Fact], None]] = []

    def on_revoked(self, callback: Callable[[Fact], None]) -> Callable[[], None]:
        self.heard.append(callback)
        return lambda: self.heard.remove(callback)

    def tell(self, fact: Fact) -> None:
        for callback in self.heard:
            callback(fact)


class Minos:
    """Introspects: keys of ada for the shop, until revoked."""

    def __init__(self) -> None:
        self.asked = 0
        self.revoked: set[str] = set()
        self.told: dict[str, Any] = {
            "active": True, "token_type": "api_key", "sub": "ada", "aud": "shop", "jti": "k1", "scope": "orders.read stock.*",
            "principal": "user", "exp": 4_000_000_000, "iat": 1,
        }  # fmt: skip
        self.answer: httpx.Response | None = None
        self.gate: asyncio.Event | None = None

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        token = parse_qs(request.content.decode())["token"][0]
        told = {"active": False} if token in self.revoked else dict(self.told)
        if self.gate is not None:
            await self.gate.wait()
        return self.answer or httpx.Response(200, json=told)


def keys_of(minos: Minos, feed: Feed | None, **more: Any) -> ApiKeys:
    http = httpx.AsyncClient(transport=httpx.MockTransport(minos))
    return ApiKeys(URL, "shop", ClientSecret("client_shop", "mcs_secret"), verifier=feed, http=http, **more)
