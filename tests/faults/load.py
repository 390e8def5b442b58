"""Clients that never give up: they go on while parts of the authority die, and remember what was acknowledged."""

import asyncio
import secrets
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.e2e.people import PASSWORD, Person, address

AWAY = {500, 502, 503, 504}


@dataclass(slots=True)
class Acknowledged:
    """What clients were told is done. Roles: the last word on each (user, role), None when the last answer was lost."""

    users: dict[str, str] = field(default_factory=dict[str, str])
    sessions: set[str] = field(default_factory=set[str])
    refreshes: set[tuple[str, int]] = field(default_factory=set[tuple[str, int]])
    roles: dict[tuple[str, str], bool | None] = field(default_factory=dict[tuple[str, str], bool | None])
    ended: set[str] = field(default_factory=set[str])
    lost: int = 0
    """Requests whose answer never came, or said that a store was away."""
    wrong: list[str] = field(default_factory=list[str])
    """Answers that should not have been."""


class Client:
    """One device. Every request has an answer or is counted as lost."""

    def __init__(self, http: httpx.AsyncClient, told: Acknowledged, admin: Person) -> None:
        self._http, self._told, self._admin = http, told, admin

    async def run(self, stop: asyncio.Event) -> None:
        """Live one life after the other."""
        while not stop.is_set():
            person = await self._register(stop)
            if person is None:
                return
            await self._live(person, stop)

    async def _register(self, stop: asyncio.Event) -> Person | None:
        """Try with one idempotency key until it is acknowledged: however often it was tried, there is one account."""
        wish, key = {"email": address(), "password": PASSWORD}, {"Idempotency-Key": secrets.token_urlsafe(24)}
        while not stop.is_set():
            answer = await self._try("POST", "/api/v1/auth/register", wish, key)
            if answer is None:
                continue
            if answer.status_code != 201:
                self._told.wrong.append(f"register: {answer.status_code} {answer.text}")
                return None
            self._told.users[answer.json()["user_id"]] = wish["email"]
            return Person(self._http, wish["email"], tokens=answer.json())
        return None

    async def _live(self, person: Person, stop: asyncio.Event) -> None:
        await self._role(person, stop)
        answer = await self._try("POST", "/api/v1/auth/login", {"email": person.email, "password": PASSWORD}, {})
        if answer is None or stop.is_set():
            return
        if answer.status_code != 200:
            self._told.wrong.append(f"login: {answer.status_code} {answer.text}")
            return
        person.tokens = answer.json()
        self._told.sessions.add(person.session_id)
        for _ in range(6):
            if stop.is_set() or not await self._refresh(person, stop):
                return
        await self._role(person, stop, give=False)
        await self._sign_out(person, stop)

    async def _refresh(self, person: Person, stop: asyncio.Event) -> bool:
        """Try with the same token until it is answered: the grace gives the same next one. Past the grace the family may end."""
        body = {"refresh_token": person.tokens["refresh_token"]}
        began = asyncio.get_running_loop().time()
        while not stop.is_set():
            answer = await self._try("POST", "/api/v1/auth/refresh", body, {})
            if answer is None:
                continue
            if answer.status_code == 200:
                person.tokens = answer.json()
                _, generation, *_ = person.tokens["refresh_token"].removeprefix("mrt_").split(".")
                self._told.refreshes.add((person.session_id, int(generation)))
                return True
            if asyncio.get_running_loop().time() - began < 9:
                self._told.wrong.append(f"refresh: {answer.status_code} {answer.text}")
            return False
        return False

    async def _sign_out(self, person: Person, stop: asyncio.Event) -> None:
        """End the session, until that is acknowledged; somebody who was told so and is told 401 then knows that it is."""
        while not stop.is_set():
            answer = await self._try("POST", "/api/v1/auth/logout", {}, person.bearer)
            if answer is None:
                continue
            if answer.status_code in {204, 401}:
                self._told.ended.add(person.session_id)
            else:
                self._told.wrong.append(f"logout: {answer.status_code} {answer.text}")
            return

    async def _role(self, person: Person, stop: asyncio.Event, *, give: bool = True) -> None:
        """Give or take a role, until it is acknowledged."""
        who = (person.user_id, "keeper")
        while not stop.is_set():
            self._told.roles[who] = None
            answer = await self._try("PUT" if give else "DELETE", f"/api/v1/users/{who[0]}/roles/keeper", None, self._admin.bearer)
            if answer is None:
                continue
            if answer.status_code == 204:
                self._told.roles[who] = give
            else:
                self._told.wrong.append(f"role: {answer.status_code} {answer.text}")
            return

    async def _try(self, method: str, path: str, body: object, headers: dict[str, str]) -> httpx.Response | None:
        try:
            answer = await self._http.request(method, path, json=body, headers=headers)
        except httpx.HTTPError:
            answer = None
        if answer is None or answer.status_code in AWAY:
            if answer is not None and answer.status_code == 500:
                self._told.wrong.append(f"{path}: {answer.text}")
            self._told.lost += 1
            await asyncio.sleep(0.03)
            return None
        return answer


async def load(clients: list[Client], stop: asyncio.Event) -> list[asyncio.Task[Any]]:
    return [asyncio.create_task(client.run(stop)) for client in clients]
