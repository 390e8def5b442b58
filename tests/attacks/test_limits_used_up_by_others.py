"""To keep somebody out, use up what they have: it must take being them."""

from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from api.edge import Edge
from tests.api.conftest import PASSWORD, Person, Served, aged
from tests.api.test_oauth import GRANT, robot
from tests.attacks.limited import ACCOUNT, ADDRESS, ME, NAME, REFRESH, SESSION, Caller, limited
from tests.conftest import Database

AUTH = "/api/v1/auth"
TOTP = f"{ME}/factors/totp"
_hosts = count(1)


@pytest.fixture(scope="module")
async def edge(served: Served, api_database: Database, api_folder: Path) -> AsyncIterator[Edge]:
    async with limited(api_database, api_folder) as edge:
        yield edge


def elsewhere() -> str:
    return f"198.19.{next(_hosts)}.7"


def forged(token: str) -> str:
    """The same claims under a key of one's own."""
    claims = jwt.decode(token, options={"verify_signature": False})
    headers = {name: value for name, value in jwt.get_unverified_header(token).items() if name != "alg"}
    return jwt.encode(claims, ec.generate_private_key(ec.SECP256R1()), algorithm="ES256", headers=headers)


async def statuses(caller: Caller, path: str, token: str, times: int) -> list[int]:
    return [(await caller.ask("GET", path, token=token)).status_code for _ in range(times)]


@pytest.mark.parametrize("path", [SESSION, ME])
async def test_an_account_is_limited_wherever_it_asks_from(edge: Edge, served: Served, path: str) -> None:
    ada = await served.person()
    seen = [(await Caller(edge, elsewhere()).ask("GET", path, token=ada.access)).status_code for _ in range(ACCOUNT + 2)]
    assert seen == [200] * ACCOUNT + [429] * 2


async def test_both_lanes_count_an_account_together(edge: Edge, served: Served) -> None:
    ada = await served.person()
    paths = [SESSION if n % 2 else f"{SESSION}?nothing={n}" for n in range(2 * ACCOUNT)]
    seen = [(await Caller(edge, elsewhere()).ask("GET", path, token=ada.access)).status_code for path in paths]
    assert seen.count(200) == ACCOUNT


@pytest.mark.parametrize("path", [SESSION, ME])
async def test_a_token_that_does_not_verify_uses_up_nothing_of_who_it_names(edge: Edge, served: Served, path: str) -> None:
    ada = await served.person()
    for token in (forged(ada.access), ada.access[:-4] + "AAAA"):
        assert set(await statuses(Caller(edge, elsewhere()), path, token, ACCOUNT + 1)) == {401}
    assert await statuses(Caller(edge, elsewhere()), path, ada.access, ACCOUNT) == [200] * ACCOUNT


async def test_a_service_that_was_handed_a_token_uses_up_nothing_of_its_person(edge: Edge, served: Served) -> None:
    ada = await served.person()
    mine, _ = ada.access, await ada.sign_in(audience="orders")
    service = Caller(edge, elsewhere())
    seen = [(await service.ask("POST", "/api/v1/auth/action-tokens", token=ada.access, json={})).status_code for _ in range(ACCOUNT + 1)]
    assert seen == [422] * ACCOUNT + [429]
    assert await statuses(Caller(edge, elsewhere()), ME, mine, ACCOUNT) == [200] * ACCOUNT


async def test_who_holds_a_copy_of_a_session_keeps_nobody_from_throwing_them_out(edge: Edge, served: Served) -> None:
    """They use up all that the account and the session have; its owner signs in again, and is as free as ever to end it."""
    ada = await served.person()
    copied, prove = ada.access, {"password": PASSWORD}
    for method, path, more in (("GET", ME, {}), ("POST", f"{AUTH}/reauthenticate", {"json": prove}), ("GET", f"{ME}/sessions", {})):
        used_up = [await Caller(edge, elsewhere()).ask(method, path, token=copied, **more) for _ in range(ACCOUNT + 1)]
        assert used_up[-1].status_code == 429
    await ada.sign_in()
    owner = Caller(edge, elsewhere())
    assert (await owner.ask("GET", ME, token=ada.access)).status_code == 429
    for method, path, more, expected in (
        ("GET", f"{ME}/sessions", {}, 200),
        ("POST", f"{AUTH}/reauthenticate", {"json": prove}, 200),
        ("DELETE", f"{ME}/sessions", {}, 200),
    ):
        answer = await owner.ask(method, path, token=ada.access, **more)
        assert answer.status_code == expected, answer.text
    assert (await Caller(edge, elsewhere()).ask("GET", f"{SESSION}?", token=copied)).status_code == 401


async def test_a_copy_of_a_session_without_a_proof_uses_up_nothing_of_what_its_owner_does_with_one(edge: Edge, served: Served) -> None:
    """What is refused for want of a proof counts for the session alone, which is held to what an account may."""
    ada = await served.person()
    copied = await aged(served, ada, 3_600)
    seen = [(await Caller(edge, elsewhere()).ask("POST", TOTP, token=copied, json={})).status_code for _ in range(ACCOUNT + 2)]
    assert seen == [401] * ACCOUNT + [429] * 2
    await ada.sign_in()
    seen = [(await Caller(edge, elsewhere()).ask("POST", TOTP, token=ada.access, json={})).status_code for _ in range(ACCOUNT + 1)]
    assert seen == [201] * ACCOUNT + [429]


async def test_a_copy_of_a_session_without_a_proof_keeps_its_owner_from_confirming_nothing(edge: Edge, served: Served) -> None:
    ada = await served.person()
    copied, wish = await aged(served, ada, 3_600), {"action": "minos:offer-totp", "method": "POST", "path": TOTP}
    thief = Caller(edge, elsewhere())
    seen = [(await thief.ask("POST", f"{AUTH}/action-tokens", token=copied, json=wish)).status_code for _ in range(ACCOUNT + 1)]
    assert seen == [401] * ACCOUNT + [429]
    await ada.sign_in()
    answer = await Caller(edge, elsewhere()).ask("POST", f"{AUTH}/action-tokens", token=ada.access, json=wish)
    assert answer.status_code == 201, answer.text


async def test_what_a_copy_of_a_session_may_do_without_a_proof_keeps_its_owner_from_nothing_that_asks_for_one(
    edge: Edge, served: Served
) -> None:
    ada = await served.person()
    copied = await aged(served, ada, 3_600)
    thief = Caller(edge, elsewhere())
    seen = [(await thief.ask("PATCH", ME, token=copied, json={"name": f"Ada {n}"})).status_code for n in range(ACCOUNT + 1)]
    assert seen == [200] * ACCOUNT + [429]
    await ada.sign_in()
    owner = Caller(edge, elsewhere())
    assert (await owner.ask("PATCH", ME, token=ada.access, json={"name": "Ada"})).status_code == 429
    assert (await owner.ask("POST", f"{ME}/api-keys", token=ada.access, json={"name": "laptop", "permissions": []})).status_code == 201


async def test_what_asks_for_a_proof_and_has_it_is_limited_by_account_over_all_sessions(edge: Edge, served: Served) -> None:
    ada = await served.person()
    tokens = [ada.access]
    for _ in range(ACCOUNT):
        await ada.sign_in()
        tokens.append(ada.access)
    seen = [(await Caller(edge, elsewhere()).ask("POST", TOTP, token=token, json={})).status_code for token in tokens]
    assert seen == [201] * ACCOUNT + [429]


@pytest.mark.parametrize("path", ["/oauth2/token", "/oauth2/introspect", "/oauth2/revoke"])
async def test_a_client_is_limited_wherever_it_asks_from_and_by_nobody_who_names_it(
    edge: Edge, served: Served, admin: Person, path: str
) -> None:
    one, form = await robot(admin), GRANT if path.endswith("/token") else {"token": "x"}
    for _ in range(ACCOUNT + 1):
        named = await Caller(edge, elsewhere()).ask("POST", path, data={**form, "client_id": one.client_id, "client_secret": "mcs_wrong"})
        assert named.status_code == 401
    seen = [(await Caller(edge, elsewhere()).ask("POST", path, data=form, headers=one.basic)).status_code for _ in range(ACCOUNT + 2)]
    assert seen == [200] * ACCOUNT + [429] * 2


async def test_a_grant_that_is_refused_to_a_client_counts_too(edge: Edge, admin: Person) -> None:
    one, beyond = await robot(admin), {**GRANT, "scope": "orders.write"}
    seen = [(await Caller(edge, elsewhere()).ask("POST", "/oauth2/token", data=beyond, headers=one.basic)).status_code for _ in range(5)]
    assert seen == [400] * ACCOUNT + [429]


async def test_another_account_behind_the_same_address_has_its_own(edge: Edge, served: Served) -> None:
    ada, grace, office = await served.person(), await served.person(), Caller(edge, elsewhere())
    assert await statuses(office, SESSION, ada.access, ACCOUNT + 1) == [200] * ACCOUNT + [429]
    assert await statuses(office, SESSION, grace.access, ACCOUNT) == [200] * ACCOUNT


async def test_an_account_that_is_used_up_still_counts_where_it_asks_from(edge: Edge, served: Served) -> None:
    """Verified identities do not replace the address: both are counted."""
    people, office = [await served.person() for _ in range(ADDRESS + 1)], Caller(edge, elsewhere())
    seen = [(await office.ask("GET", ME, token=person.access)).status_code for person in people]
    assert seen == [200] * ADDRESS + [429]


async def test_tries_at_a_name_from_elsewhere_use_up_nothing_of_its_owner(edge: Edge, served: Served) -> None:
    ada = await served.person(sign_in=False)
    for _ in range(NAME):
        assert await Caller(edge, "203.0.113.9").sign_in(f"not-{ada.email}") == 401
    stranger = Caller(edge, elsewhere())
    seen = [
        (await stranger.ask("POST", "/api/v1/auth/login", json={"email": ada.email, "password": "wrong"})).status_code
        for _ in range(NAME + 1)
    ]
    assert seen == [401] * NAME + [429]
    assert await Caller(edge, elsewhere()).sign_in(ada.email) == 200


async def exchanged(caller: Caller, token: str) -> tuple[int, str]:
    answer = await caller.ask("POST", REFRESH, json={"refresh_token": token})
    return answer.status_code, answer.json().get("refresh_token", token)


async def test_a_refresh_token_that_is_not_genuine_uses_up_nothing_of_the_session_it_names(edge: Edge, served: Served) -> None:
    ada: Person = await served.person()
    made_up = ada.refresh[:-8] + "AAAAAAAA"
    assert {(await exchanged(Caller(edge, elsewhere()), made_up))[0] for _ in range(ACCOUNT + 1)} == {401}
    seen, token = list[int](), ada.refresh
    for _ in range(ACCOUNT + 1):
        status, token = await exchanged(Caller(edge, elsewhere()), token)
        seen.append(status)
    assert seen == [200] * ACCOUNT + [429]
