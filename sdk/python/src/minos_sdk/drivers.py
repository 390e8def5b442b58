"""Who carries plans out: one that awaits, one that blocks. Redirects are not followed: a token goes where it was meant for."""

import asyncio
import time
from typing import TypeVar

import httpx

from minos_sdk import given
from minos_sdk.breaker import Breaker
from minos_sdk.http import TIMEOUT, OwnedClient, checked_issuer
from minos_sdk.steps import Answered, Ask, NoAnswer, Pause, Plan, Reply

T = TypeVar("T")


class AsyncDriver:
    """`url` is where Minos is. A client that is given stays its owner's to close. For who asks every few minutes, `rarely`, no connection
    is kept: there is nothing to close then."""

    def __init__(self, url: str, http: httpx.AsyncClient | None = None, *, rarely: bool = False, name: str = "issuer") -> None:
        self._url = checked_issuer(url, name=name)
        self._http = OwnedClient(http, lambda: httpx.AsyncClient(timeout=TIMEOUT, limits=_limits(rarely=rarely), follow_redirects=False))
        self._breaker = Breaker()

    async def run(self, plan: Plan[T]) -> T:
        reply: Reply = None
        while True:
            try:
                step = plan.send(reply)
            except StopIteration as done:
                result: T = done.value
                return result
            reply = await self._done(step)

    async def _done(self, step: Ask | Pause) -> Reply:
        if isinstance(step, Pause):
            await asyncio.sleep(step.seconds)
            return None
        if not self._breaker.admits():
            return NoAnswer()
        try:
            answer = await self._http.get().request(
                step.method, self._url + step.path, headers=dict(step.headers), content=step.body, follow_redirects=False
            )
        except httpx.HTTPError:
            self._breaker.note(answered=False)
            return NoAnswer()
        self._breaker.note(answered=True)
        return _answered(answer)

    async def close(self) -> None:
        await self._http.close()


class SyncDriver:
    """As AsyncDriver, for code without a loop. May be used by several threads."""

    def __init__(self, url: str, http: httpx.Client | None = None, *, rarely: bool = False, name: str = "issuer") -> None:
        self._url = checked_issuer(url, name=name)
        if http is not None:
            given.one_of("http", http, httpx.Client, "an httpx.Client")
        self._own = http is None
        self._http = http or httpx.Client(timeout=TIMEOUT, limits=_limits(rarely=rarely), follow_redirects=False)
        self._breaker = Breaker()

    def run(self, plan: Plan[T]) -> T:
        reply: Reply = None
        while True:
            try:
                step = plan.send(reply)
            except StopIteration as done:
                result: T = done.value
                return result
            reply = self._done(step)

    def _done(self, step: Ask | Pause) -> Reply:
        if isinstance(step, Pause):
            time.sleep(step.seconds)
            return None
        if not self._breaker.admits():
            return NoAnswer()
        try:
            answer = self._http.request(
                step.method, self._url + step.path, headers=dict(step.headers), content=step.body, follow_redirects=False
            )
        except httpx.HTTPError:
            self._breaker.note(answered=False)
            return NoAnswer()
        self._breaker.note(answered=True)
        return _answered(answer)

    def close(self) -> None:
        if self._own:
            self._http.close()


def _limits(*, rarely: bool) -> httpx.Limits:
    return httpx.Limits(max_connections=100, max_keepalive_connections=0 if rarely else 20)


def _answered(answer: httpx.Response) -> Answered:
    return Answered(answer.status_code, {name.lower(): value for name, value in answer.headers.items()}, answer.content)
