"""Second factors as they are met over HTTP: enrolled, asked for, listed, taken away."""

import base64
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree as ET

import httpx

from domain import totp
from tests.api.conftest import BASE, PASSWORD, Person, Served, aged
from tests.software_key import SoftwareKey


def code(secret: str, away: int = 0) -> str:
    return totp.code_at(base64.b32decode(secret), totp.step_at(datetime.now(UTC)) + away)


async def with_telephone(served: Served) -> tuple[Person, str, list[str]]:
    """Somebody new who enrolled one; their seed and recovery codes."""
    person = await served.person()
    return person, *await add_telephone(person)


async def add_telephone(person: Person) -> tuple[str, list[str]]:
    offer = await person.ask("POST", "/me/factors/totp")
    assert offer.status_code == 201, offer.text
    secret = offer.json()["secret"]
    confirmed = await person.ask("POST", "/me/factors/totp/confirm", json={"code": code(secret)})
    assert confirmed.status_code == 200, confirmed.text
    return secret, confirmed.json()["recovery_codes"]


async def login(served: Served, person: Person, **more: str) -> dict[str, Any]:
    answer = await served.http.post("/api/v1/auth/login", json={"email": person.email, "password": PASSWORD, **more})
    assert answer.status_code == 200, answer.text
    asked: dict[str, Any] = answer.json()
    return asked


async def complete(served: Served, challenge: str, factor: str, given: str) -> httpx.Response:
    return await served.http.post("/api/v1/auth/login/factor", json={"challenge": challenge, "factor": factor, "code": given})


async def test_a_seed_comes_with_an_address_and_a_picture_of_it(served: Served) -> None:
    person = await served.person()
    answer = await person.ask("POST", "/me/factors/totp")
    offer = answer.json()
    assert answer.headers["cache-control"] == "no-store"
    assert f"secret={offer['secret']}" in offer["uri"]
    assert offer["uri"].startswith("otpauth://totp/minos:person")
    picture = ET.fromstring(offer["qr"])  # noqa: S314 - our own
    assert picture.tag == "{http://www.w3.org/2000/svg}svg"
    assert offer["secret"] not in offer["qr"]


async def test_an_account_with_a_factor_gets_a_challenge_and_with_a_code_its_tokens(served: Served) -> None:
    person, secret, _ = await with_telephone(served)
    asked = await login(served, person)
    assert asked.keys() == {"status", "challenge", "factors", "expires_in"}
    assert (asked["status"], asked["expires_in"]) == ("factor_required", 300)
    assert asked["factors"] == [{"factor": "totp"}, {"factor": "recovery_code"}]
    answer = await complete(served, asked["challenge"], "totp", code(secret, 1))
    assert answer.status_code == 200, answer.text
    person.keep(answer.json())
    assert answer.json()["status"] == "signed_in"
    assert (await person.ask("GET", "/me")).status_code == 200


async def test_the_ordinary_route_and_the_express_lane_ask_alike(served: Served) -> None:
    person, _, _ = await with_telephone(served)
    wish = {"email": person.email, "password": PASSWORD}
    answers = [await served.http.post(f"/api/v1/auth/login{query}", json=wish) for query in ("", "?")]
    ordinary = await served.http.post("/api/v1/auth/login", json=wish, headers={"If-None-Match": "x"})
    for answer in (*answers, ordinary):
        assert (answer.status_code, answer.json()["status"]) == (200, "factor_required")


async def test_a_wrong_code_is_refused_in_the_same_words_whatever_is_wrong(served: Served) -> None:
    person, secret, codes = await with_telephone(served)
    challenge = (await login(served, person))["challenge"]
    wrong = [("totp", "000000"), ("totp", code(secret)), ("recovery_code", "abcd-abcd-abcd"), ("recovery_code", codes[0][:-1])]
    refusals = [await complete(served, challenge, *one) for one in wrong]
    assert {(refused.status_code, refused.text) for refused in refusals} == {(401, refusals[0].text)}
    assert refusals[0].json()["code"] == "invalid_factor"
    assert (await complete(served, challenge, "recovery_code", codes[0])).status_code == 200


async def test_factors_are_listed_for_their_owner_without_their_secrets(served: Served) -> None:
    person, secret, codes = await with_telephone(served)
    answer = await person.ask("GET", "/me/factors")
    (totp_view,) = answer.json()["data"]
    assert (totp_view["kind"], totp_view["name"]) == ("totp", None)
    assert answer.json()["recovery_codes"]["remaining"] == 10
    assert secret not in answer.text
    assert codes[0] not in answer.text


async def test_what_changes_a_factor_asks_for_the_strongest_and_says_so(served: Served) -> None:
    person, secret, _ = await with_telephone(served)
    (factor,) = (await person.ask("GET", "/me/factors")).json()["data"]
    path = f"/me/factors/{factor['factor_id']}"
    for method, where in (("DELETE", path), ("POST", "/me/factors/recovery-codes"), ("POST", "/me/factors/totp")):
        answer = await person.ask(method, where)
        assert (answer.status_code, answer.json()["code"]) == (401, "reauthentication_required")
        assert 'error="insufficient_user_authentication"' in answer.headers["www-authenticate"]
    person.keep((await complete(served, (await login(served, person))["challenge"], "totp", code(secret, 1))).json())
    codes = await person.ask("POST", "/me/factors/recovery-codes")
    assert (codes.status_code, len(codes.json()["recovery_codes"])) == (201, 10)
    assert (await person.ask("DELETE", path)).status_code == 204
    assert (await person.ask("GET", "/me/factors")).json() == {"data": [], "recovery_codes": None, "blocked": False}
    assert (await login(served, person))["status"] == "signed_in"


async def test_an_old_proof_changes_no_factor(served: Served) -> None:
    person = await served.person()
    old = {"Authorization": f"Bearer {await aged(served, person, 930)}"}
    answer = await served.http.post("/api/v1/me/factors/totp", headers=old)
    assert (answer.status_code, answer.json()["code"]) == (401, "reauthentication_required")


async def test_anothers_factor_is_as_absent_as_none(served: Served) -> None:
    person, _, _ = await with_telephone(served)
    (factor,) = (await person.ask("GET", "/me/factors")).json()["data"]
    stranger = await served.person()
    answer = await stranger.ask("DELETE", f"/me/factors/{factor['factor_id']}")
    assert (answer.status_code, answer.json()["code"]) == (404, "factor_not_found")
    assert (await person.ask("GET", "/me/factors")).json()["data"] == [factor]


async def test_ones_history_tells_of_factors(served: Served) -> None:
    person, _, codes = await with_telephone(served)
    person.keep((await complete(served, (await login(served, person))["challenge"], "recovery_code", codes[3])).json())
    await served.project()
    history = [row["type"] for row in (await person.ask("GET", "/me/history")).json()["data"]]
    assert {"factors.totp_confirmed.v1", "factors.recovery_codes_made.v1", "factors.recovery_code_used.v1"} <= set(history)


async def with_passkey(served: Served) -> tuple[Person, SoftwareKey]:
    person, key = await served.person(), SoftwareKey(BASE)
    offer = (await person.ask("POST", "/me/factors/passkeys/options")).json()
    wish = {"challenge": offer["challenge"], "attestation": key.make(offer["options"]), "name": "laptop"}
    answer = await person.ask("POST", "/me/factors/passkeys", json=wish)
    assert answer.status_code == 201, answer.text
    return person, key


async def enter(served: Served, key: SoftwareKey, **lies: Any) -> httpx.Response:
    ask = (await served.http.post("/api/v1/auth/passkeys/challenge", json={})).json()
    wish = {"challenge": ask["challenge"], "assertion": key.sign(ask["options"], **lies)}
    return await served.http.post("/api/v1/auth/login/passkey", json=wish)


async def test_a_passkey_signs_in_without_a_name_and_proves_it_again(served: Served) -> None:
    person, key = await with_passkey(served)
    answer = await enter(served, key)
    assert answer.status_code == 200, answer.text
    assert person.keep(answer.json())["user_id"] == person.user_id
    (view,) = (await person.ask("GET", "/me/factors")).json()["data"]
    assert (view["kind"], view["name"]) == ("passkey", "laptop")
    ask = (await person.ask("POST", "/auth/reauthenticate/challenge")).json()
    proof = {"factor": "passkey", "challenge": ask["challenge"], "assertion": key.sign(ask["options"])}
    assert (await person.ask("POST", "/auth/reauthenticate", json=proof)).status_code == 200
    renamed = await person.ask("PATCH", f"/me/factors/{view['factor_id']}", json={"name": "old laptop"})
    assert renamed.status_code == 204
    lied = await enter(served, key, origin="https://evil.example")
    assert (lied.status_code, lied.json()["code"]) == (401, "invalid_factor")


async def test_a_password_with_a_passkey_to_show_comes_with_what_a_browser_needs(served: Served) -> None:
    person, key = await with_passkey(served)
    asked = await login(served, person)
    assert [choice["factor"] for choice in asked["factors"]] == ["passkey", "recovery_code"]
    wish = {"challenge": asked["challenge"], "factor": "passkey", "assertion": key.sign(asked["factors"][0]["options"])}
    assert (await served.http.post("/api/v1/auth/login/factor", json=wish)).json()["status"] == "signed_in"


async def test_an_administrator_switches_a_lost_factor_off_and_its_owner_hears_of_it(served: Served, admin: Person) -> None:
    person, _, _ = await with_telephone(served)
    (factor,) = (await admin.ask("GET", f"/users/{person.user_id}/factors")).json()["data"]
    path = f"/users/{person.user_id}/factors/{factor['factor_id']}"
    assert (await person.ask("DELETE", path)).json()["code"] == "permission_denied"
    assert (await admin.ask("DELETE", path)).status_code == 204
    assert (await admin.ask("DELETE", path)).json()["code"] == "factor_not_found"
    person.keep(await login(served, person))
    await served.project()
    newest = (await person.ask("GET", "/me/history")).json()["data"]
    (told,) = [row for row in newest if row["type"] == "factors.removed.v1"]
    assert (told["actor"], told["reason"]) == ("administrator", "administrator")


async def test_nobody_switches_a_factor_of_who_may_do_more_off(served: Served, admin: Person) -> None:
    boss, _, _ = await with_telephone(served)
    (factor,) = (await boss.ask("GET", "/me/factors")).json()["data"]
    await admin.ask("PUT", f"/users/{boss.user_id}/roles/admin")
    helper = await served.person()
    await admin.ask("POST", "/roles", json={"name": "helpdesk", "permissions": ["minos.factors.remove", "minos.users.read"]})
    await admin.ask("PUT", f"/users/{helper.user_id}/roles/helpdesk")
    answer = await helper.ask("DELETE", f"/users/{boss.user_id}/factors/{factor['factor_id']}")
    assert (answer.status_code, answer.json()["code"]) == (403, "rights_exceeded")
    assert (await admin.ask("DELETE", f"/users/{boss.user_id}/roles/admin")).status_code == 204
