"""An access token lives for minutes; whoever steals one must not get a refresh token for it, which lives for months."""

from api.policy import POLICY
from tests.api.conftest import PASSWORD, Person, Served, aged


async def stolen_long_after_sign_in(served: Served, owner: Person) -> dict[str, str]:
    proof = POLICY["endMyOtherSessions"].step_up
    assert proof is not None
    return {"Authorization": f"Bearer {await aged(served, owner, proof.max_age + 1)}"}


async def test_ending_the_others_with_a_stolen_token_gives_no_refresh_token(served: Served) -> None:
    owner = await served.person()
    stolen = await stolen_long_after_sign_in(served, owner)
    answer = await served.http.delete("/api/v1/me/sessions", headers=stolen)
    assert (answer.status_code, answer.json()["code"]) == (401, "reauthentication_required")
    assert 'max_age="900"' in answer.headers["www-authenticate"]
    assert (await served.http.post("/api/v1/auth/refresh", json={"refresh_token": owner.refresh})).status_code == 200


async def test_who_shows_the_password_again_may(served: Served) -> None:
    owner = await served.person()
    old = await stolen_long_after_sign_in(served, owner)
    owner.access = (await served.http.post("/api/v1/auth/reauthenticate", headers=old, json={"password": PASSWORD})).json()["access_token"]
    owner.keep((await owner.ask("DELETE", "/me/sessions")).json())
    assert (await owner.ask("GET", "/auth/session")).status_code == 200


async def test_who_signed_in_just_now_may(served: Served) -> None:
    owner = await served.person()
    assert (await owner.ask("DELETE", "/me/sessions")).status_code == 200
