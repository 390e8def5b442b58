"""Demanding a second factor over HTTP, and coming in where one is demanded."""

import base64
from datetime import UTC, datetime

import msgspec

from domain import totp
from tests.api.conftest import BASE, PASSWORD, Person, Served
from tests.software_key import SoftwareKey


async def role_of(served: Served, admin: Person, name: str, requirement: str, *permissions: str) -> Person:
    """A signed-in person with a role of which something is demanded."""
    person = await served.person()
    assert (await admin.ask("POST", "/roles", json={"name": name, "permissions": permissions})).status_code == 201
    demand = await admin.ask("PUT", f"/factor-policy/roles/{name}", json={"requirement": requirement})
    assert demand.status_code == 204, demand.text
    assert (await admin.ask("PUT", f"/users/{person.user_id}/roles/{name}")).status_code == 204
    return person


async def post(served: Served, path: str, **body: object) -> tuple[int, dict[str, object]]:
    answer = await served.http.post(f"/api/v1/auth/{path}", json=body)
    assert "no-store" in answer.headers["cache-control"]
    return answer.status_code, answer.json()


async def test_who_has_none_enrols_codes_by_time_on_the_way_in(served: Served, admin: Person) -> None:
    person = await role_of(served, admin, "clerk-of-codes", "any")
    refused = await served.http.post("/api/v1/auth/refresh", json={"refresh_token": person.refresh})
    assert (refused.status_code, refused.json()["code"]) == (401, "stronger_factor_required")
    _, asked = await post(served, "login", email=person.email, password=PASSWORD)
    assert (asked["status"], asked["may_enrol"], asked["expires_in"]) == ("enrolment_required", ["passkey", "totp"], 300)
    challenge = asked["challenge"]
    status, seed = await post(served, "login/enrol/totp", challenge=challenge)
    assert status == 201
    assert str(seed["qr"]).startswith("<svg")
    code = totp.code_at(base64.b32decode(str(seed["secret"])), totp.step_at(datetime.now(UTC)))
    status, pair = await post(served, "login/enrol/totp/confirm", challenge=challenge, code=code)
    assert (status, pair["status"]) == (200, "signed_in")
    assert len(msgspec.convert(pair["recovery_codes"], list[str])) == 10
    person.keep(pair)
    assert (await person.ask("GET", "/me")).status_code == 200
    _, again = await post(served, "login", email=person.email, password=PASSWORD)
    assert again["status"] == "factor_required"


async def test_who_has_none_enrols_a_passkey_on_the_way_in(served: Served, admin: Person) -> None:
    person = await role_of(served, admin, "clerk-of-keys", "phishing_resistant")
    _, asked = await post(served, "login", email=person.email, password=PASSWORD)
    assert asked["may_enrol"] == ["passkey"]
    challenge, key = asked["challenge"], SoftwareKey(BASE)
    _, offer = await post(served, "login/enrol/passkeys/options", challenge=challenge)
    options = msgspec.convert(offer["options"], dict)
    wish = {"challenge": challenge, "offer": offer["challenge"], "attestation": key.make(options), "name": "laptop"}
    status, pair = await post(served, "login/enrol/passkeys", **wish)
    assert (status, pair["status"]) == (200, "signed_in")
    person.keep(pair)
    (factor,) = (await person.ask("GET", "/me/factors")).json()["data"]
    assert (factor["kind"], factor["name"]) == ("passkey", "laptop")


async def test_what_is_demanded_is_shown_and_taken_back(served: Served, admin: Person) -> None:
    assert (await admin.ask("POST", "/audiences", json={"name": "vault", "permissions": []})).status_code == 201
    person = await served.person()
    assert (await admin.ask("PUT", "/factor-policy/audiences/vault", json={"requirement": "any"})).status_code == 204
    assert (await admin.ask("GET", "/factor-policy")).json()["audiences"]["vault"] == "any"
    _, asked = await post(served, "login", email=person.email, password=PASSWORD, audience="vault")
    assert asked["status"] == "enrolment_required"
    assert (await post(served, "login", email=person.email, password=PASSWORD))[1]["status"] == "signed_in"
    assert (await admin.ask("PUT", "/factor-policy/audiences/vault", json={"requirement": "none"})).status_code == 204
    assert "vault" not in (await admin.ask("GET", "/factor-policy")).json()["audiences"]
    assert (await post(served, "login", email=person.email, password=PASSWORD, audience="vault"))[1]["status"] == "signed_in"


async def test_what_a_role_gives_is_withheld_at_once_until_the_factor_was_shown(served: Served, admin: Person) -> None:
    """A role that is granted acts at the next request; so does what is demanded of it."""
    person = await role_of(served, admin, "clerk-of-roles", "any", "minos.roles.read")
    refused = await person.ask("GET", "/roles")
    assert (refused.status_code, refused.json()["code"]) == (401, "stronger_factor_required")
    assert (await person.ask("GET", "/users")).json()["code"] == "permission_denied"
    assert (await person.ask("GET", "/me")).status_code == 200
    secret = (await person.ask("POST", "/me/factors/totp")).json()["secret"]
    step = totp.step_at(datetime.now(UTC))
    code = totp.code_at(base64.b32decode(secret), step)
    assert (await person.ask("POST", "/me/factors/totp/confirm", json={"code": code})).status_code == 200
    assert (await person.ask("GET", "/roles")).status_code == 401
    code = totp.code_at(base64.b32decode(secret), step + 1)
    proof = await person.ask("POST", "/auth/reauthenticate", json={"factor": "totp", "code": code, "password": PASSWORD})
    assert proof.status_code == 200, proof.text
    assert (await person.ask("GET", "/roles")).status_code == 200


async def test_nobody_demands_of_themselves_what_they_have_not_shown(served: Served, admin: Person) -> None:
    answer = await admin.ask("PUT", "/factor-policy/roles/admin", json={"requirement": "phishing_resistant"})
    assert (answer.status_code, answer.json()["code"]) == (409, "factor_not_enrolled")


async def test_a_challenge_that_asks_for_a_code_enrols_nothing(served: Served) -> None:
    for path in ("totp", "passkeys/options"):
        status, problem = await post(served, f"login/enrol/{path}", challenge="mch_nonsense")
        assert (status, problem["code"]) == (401, "invalid_challenge")
