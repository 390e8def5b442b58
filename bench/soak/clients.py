"""Clients that never give up: they go on while parts of the authority die, and remember what was acknowledged."""

import asyncio
import itertools
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from typing import Any, Protocol, TypeAlias

import httpx

from bench.soak.acknowledged import Acknowledged
from bench.soak.answers import AWAY, NONE, Answers

PASSWORD = "correct horse battery staple"  # noqa: S105 - of people who do not exist
ROLE = "keeper"
PAUSE_S = 0.03
GRACE_S = 9.0
"""A little less than what Minos gives whoever did not hear a refreshed token."""
_NO_HEADERS: Mapping[str, str] = {}


class Over(Exception):
    """The run is: a life ends wherever it is."""


class Strange(Exception):
    """An answer after which a life cannot go on. It is among the wrong ones, where nothing excuses it."""


class Administrator(Protocol):
    @property
    def bearer(self) -> Mapping[str, str]: ...


class Service(Protocol):
    """What verifies tokens, and is asked as soon as one was given or taken."""

    def given(self, token: str) -> None: ...
    def ended(self, token: str, why: str) -> None: ...
    def role_taken(self, token: str, role: str) -> None: ...


@dataclass(slots=True)
class Account:
    """Somebody, and the last answer that carried tokens of theirs."""

    email: str
    user_id: str
    tokens: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def session_id(self) -> str:
        return str(self.tokens["session_id"])

    @property
    def token(self) -> str:
        return str(self.tokens["access_token"])

    @property
    def bearer(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


class Client:
    """One device. Every request has an answer or is counted as lost. `where` gives the authority's URL at the moment; `pause`: seconds
    before each request."""

    def __init__(
        self, http: httpx.AsyncClient, told: Acknowledged, admin: Administrator, *, service: Service | None = None,
        answers: Answers | None = None, where: Callable[[], str] = str, audience: str | None = None, pause: float = 0.0,
    ) -> None:  # fmt: skip
        self._http, self._where, self._answers = http, where, answers or Answers()
        self.told, self.admin, self.service, self.audience = told, admin, service, audience
        self._pause = pause
        self.stop = asyncio.Event()

    async def run(self, lives: "Sequence[Life]", stop: asyncio.Event) -> None:
        """Live one life after the other, of each kind in turn."""
        self.stop = stop
        for live in itertools.cycle(lives):
            if stop.is_set():
                return
            try:
                await live(self, await self._register())
            except Strange:
                continue
            except Over:
                return

    async def _register(self) -> Account:
        """Try with one idempotency key until it is acknowledged: however often it was tried, there is one account."""
        email = f"{secrets.token_hex(6)}@example.org"
        key = {"Idempotency-Key": secrets.token_urlsafe(24)}
        answer, _ = await self.until_answered("POST", "/auth/register", {"email": email, "password": PASSWORD}, key)
        made: dict[str, Any] = self.expect(answer, 201).json()
        self.told.users[made["user_id"]] = email
        self.told.done("user.registered.v1", f"user-{made['user_id']}")
        return Account(email, made["user_id"])

    async def until_answered(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] = _NO_HEADERS
    ) -> tuple[httpx.Response, int]:
        """Give the first answer, and how many tries were lost before it. Raises Over."""
        for lost in itertools.count():
            answer = await self.once(method, path, body, headers)
            if answer is not None:
                return answer, lost
        raise Over  # never: it counts without end

    async def once(self, method: str, path: str, body: object = None, headers: Mapping[str, str] = _NO_HEADERS) -> httpx.Response | None:
        """Give an answer, or None for one that was lost. Raises Over."""
        if self.stop.is_set():
            raise Over
        await asyncio.sleep(self._pause)
        began = monotonic()
        try:
            answer = await self._http.request(method, f"{self._where()}/api/v1{path}", json=body, headers=dict(headers))
        except httpx.HTTPError:
            answer = None
        status = NONE if answer is None else answer.status_code
        self._answers.note(began, status)
        if status not in AWAY:
            return answer
        if answer is not None and status == 500:
            self.told.wrong.append(f"{method} {path}: {answer.text}")
        self.told.lost += 1
        await asyncio.sleep(PAUSE_S)
        return None

    def expect(self, answer: httpx.Response, *statuses: int, excused: bool = False, about: str = "") -> httpx.Response:
        """Raises Strange for any other; it is noted as wrong unless a lost answer before it explains it. `about`: what else is known."""
        if answer.status_code in statuses:
            return answer
        if not excused:
            request = answer.request
            when = f"{datetime.now(UTC):%H:%M:%S.%f}"
            self.told.wrong.append(f"{when} {about} {request.method} {request.url.path}: {answer.status_code} {answer.text}")
        raise Strange


Life: TypeAlias = Callable[[Client, Account], Awaitable[None]]
