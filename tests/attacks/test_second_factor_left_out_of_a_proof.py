"""Somebody with a copy of an access token, and the password, but not the telephone: the minutes of the token must not become more."""

from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from msgspec import structs

from api.policy import FRESH
from tests.api.conftest import PASSWORD, Person, Served, aged
from tests.api.test_factors import code, complete, login, with_telephone


@dataclass(frozen=True, slots=True)
class Theft:
    """An owner who signed in with password and code, long enough ago, and what was copied from them."""

    owner: Person
    copy: str
    factor_id: str

    async def ask(self, method: str, path: str, *, token: str | None = None, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token or self.copy}", **more.pop("headers", {})}
        return await self.owner.http.request(method, f"/api/v1{path}", headers=headers, **more)

    async def shown_the_password(self) -> str:
        answer = await self.ask("POST", "/auth/reauthenticate", json={"password": PASSWORD})
        token: str = answer.json()["access_token"]
        return token

    async def nothing_was_taken(self) -> bool:
        factors = (await self.owner.ask("GET", "/me/factors")).json()["data"]
        refreshed = await self.owner.http.post("/api/v1/auth/refresh", json={"refresh_token": self.owner.refresh})
        return [factor["factor_id"] for factor in factors] == [self.factor_id] and refreshed.status_code == 200


@pytest.fixture
async def theft(served: Served) -> Theft:
    owner, secret, _ = await with_telephone(served)
    challenge = (await login(served, owner))["challenge"]
    owner.keep((await complete(served, challenge, "totp", code(secret, 1))).json())
    factors = (await owner.ask("GET", "/me/factors")).json()["data"]
    return Theft(owner, await aged(served, owner, FRESH.max_age + 1), factors[0]["factor_id"])


def wants_two(answer: httpx.Response) -> bool:
    asked = 'acr_values="urn:minos:acr:two-factor"' in answer.headers["www-authenticate"]
    return (answer.status_code, answer.json()["code"]) == (401, "reauthentication_required") and asked


async def test_the_password_alone_ends_no_other_session_for_a_refresh_token(theft: Theft) -> None:
    assert wants_two(await theft.ask("DELETE", "/me/sessions", token=await theft.shown_the_password()))
    assert await theft.nothing_was_taken()


async def test_the_password_alone_chooses_no_other_password(theft: Theft) -> None:
    wish = {"current_password": PASSWORD, "new_password": "quite another horse battery"}
    for token in (theft.copy, await theft.shown_the_password()):
        assert wants_two(await theft.ask("POST", "/auth/password/change", token=token, json=wish))
    assert await theft.nothing_was_taken()


@pytest.mark.parametrize("action", ["remove-my-factor", "end-my-other-sessions"])
async def test_the_password_alone_makes_no_token_for_one_action(theft: Theft, action: str) -> None:
    path = {"remove-my-factor": f"/me/factors/{theft.factor_id}", "end-my-other-sessions": "/me/sessions"}[action]
    wish = {"action": f"minos:{action}", "method": "DELETE", "path": f"/api/v1{path}"}
    assert wants_two(await theft.ask("POST", "/auth/action-tokens", token=await theft.shown_the_password(), json=wish))
    assert await theft.nothing_was_taken()


async def test_who_shows_the_code_may(theft: Theft) -> None:
    """Having just signed in with both is proof enough for each of these."""
    wish = {"current_password": PASSWORD, "new_password": "quite another horse battery"}
    assert (await theft.owner.ask("DELETE", f"/me/factors/{theft.factor_id}")).status_code == 204
    assert (await theft.owner.ask("POST", "/auth/password/change", json=wish)).status_code == 200


async def test_who_came_in_with_a_recovery_code_may_choose_another_password_and_nothing_else(served: Served) -> None:
    owner, _, recovery_codes = await with_telephone(served)
    owner.keep((await complete(served, (await login(served, owner))["challenge"], "recovery_code", recovery_codes[0])).json())
    assert wants_two(await owner.ask("DELETE", "/me/sessions"))
    wish = {"current_password": PASSWORD, "new_password": "quite another horse battery"}
    assert (await owner.ask("POST", "/auth/password/change", json=wish)).status_code == 200


async def test_what_was_shown_for_an_action_token_counts_and_not_what_the_token_beside_it_says(served: Served, theft: Theft) -> None:
    """A weaker proof made the action token; the copied access token speaks of the stronger one, shown long ago."""
    world = served.world
    weak = structs.replace(await world.tokens.verify(theft.owner.access, audiences=None), amr=("email",))
    headers = {"Authorization": f"Bearer {await world.ports.mint.access_token(weak)}"}
    path = f"/me/factors/{theft.factor_id}"
    wish = {"action": "minos:remove-my-factor", "method": "DELETE", "path": f"/api/v1{path}"}
    made = await served.http.post("/api/v1/auth/action-tokens", headers=headers, json=wish)
    answer = await theft.ask("DELETE", path, headers={"X-Action-Token": made.json()["action_token"]})
    assert (answer.status_code, answer.json()["code"]) == (401, "reauthentication_required")
    assert await theft.nothing_was_taken()
