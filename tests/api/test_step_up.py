"""What cannot easily be undone asks for a fresh proof of who is there, whichever route it is asked by."""

import pytest

from api.policy import FRESH, POLICY, Needs
from tests.api.conftest import Person, Served, aged
from tests.api.test_access import ALL, Route

NEEDS_NONE = {
    "bootstrap": "shows the one-time code",
    "register": "nobody is there yet",
    "login": "is the proof",
    "completeLogin": "is the proof",
    "offerTotpAtLogin": "counts for nothing yet",
    "confirmTotpAtLogin": "is the proof",
    "offerPasskeyAtLogin": "keeps nothing",
    "registerPasskeyAtLogin": "is the proof",
    "grantToken": "is asked by machines, which prove themselves",
    "revokeMyApiKey": "ending one's own key has to be easy",
    "revokeLeakedApiKey": "shows the key in its body",
    "introspectToken": "changes nothing",
    "acknowledgeErasure": "is done by services, which prove themselves",
    "revokeToken": "letting one's own token go has to be easy",
    "askForPasskey": "nobody is there yet",
    "loginWithPasskey": "is the proof",
    "askForProof": "asks for the proof",
    "askForCode": "asks for the proof",
    "resendLoginCode": "sends to the account's own address only",
    "renameMyFactor": "gives nobody a right, and can be changed back",
    "refresh": "carries no proof on and gives no right",
    "logout": "ending one's own session has to be easy",
    "endMySession": "ending one's own session has to be easy",
    "reauthenticate": "is the proof",
    "changePassword": "shows the password in its body; its command asks for a second factor besides, where one is enrolled",
    "verifyEmail": "shows a token from the mailbox",
    "resendVerification": "sends to the account's own address only",
    "resendMyVerification": "sends to the account's own address only",
    "forgotPassword": "sends to the account's own address only",
    "checkPasswordReset": "changes nothing",
    "resetPassword": "shows a token from the mailbox",
    "checkEmailUndo": "changes nothing",
    "undoEmail": "shows a token from the mailbox",
    "acceptInvitation": "shows a token from the mailbox",
    "judgePassword": "keeps nothing",
    "nameMyDevice": "gives nobody a right",
    "reviewUserSession": "gives nobody a right, and ends nothing",
    "changeMyAttributes": "gives nobody a right, and can be changed back",
    "withdrawErasure": "keeping one's account has to be easy",
    "changeMe": "gives nobody a right, and can be changed back; its command asks for a proof of who takes another username",
    "checkPermissions": "changes nothing",
    "makeActionToken": "asks for the proof of the action it is for",
    "consumeActionToken": "shows the action token",
}
WRITING = [route for route in ALL if route.method not in {"GET", "HEAD", "OPTIONS"}]
DANGEROUS = [route for route in ALL if POLICY[route.operation].step_up is not None]


def test_every_operation_that_writes_asks_for_a_proof_or_was_decided_to_need_none() -> None:
    assert {route.operation for route in WRITING} - {route.operation for route in DANGEROUS} == set(NEEDS_NONE)


def test_no_operation_that_only_reads_asks_for_a_proof() -> None:
    assert {route.operation for route in DANGEROUS} <= {route.operation for route in WRITING}


def test_only_callers_who_are_known_are_asked_for_a_proof() -> None:
    assert {POLICY[route.operation].needs for route in DANGEROUS} <= {Needs.CALLER, Needs.PERMISSION}


@pytest.mark.parametrize("route", DANGEROUS, ids=lambda route: route.operation)
async def test_an_old_proof_is_not_enough(served: Served, admin: Person, route: Route) -> None:
    victim, proof = await served.person(), POLICY[route.operation].step_up
    assert proof is not None
    path = route.at(user_id=victim.user_id, session_id=victim.session_id)
    old = await aged(served, admin, proof.max_age + 30)
    answer = await served.http.request(route.method, path, headers={"Authorization": f"Bearer {old}"}, json={})
    assert (answer.status_code, answer.json()["code"]) == (401, "reauthentication_required")
    challenge = answer.headers["www-authenticate"]
    assert challenge.startswith('Bearer realm="minos", error="insufficient_user_authentication"')
    assert f'max_age="{proof.max_age}"' in challenge
    assert (await victim.ask("GET", "/auth/session")).status_code == 200


async def test_reauthenticating_is_what_the_challenge_asks_for(served: Served, admin: Person) -> None:
    other = await served.person()
    path = f"/api/v1/users/{other.user_id}/sessions"
    old = {"Authorization": f"Bearer {await aged(served, admin, FRESH.max_age + 30)}"}
    assert (await served.http.delete(path, headers=old)).status_code == 401
    proof = await served.http.post("/api/v1/auth/reauthenticate", headers=old, json={"password": admin.password})
    fresh = {"Authorization": f"Bearer {proof.json()['access_token']}"}
    assert (await served.http.delete(path, headers=fresh)).status_code == 204


async def test_who_lacks_the_permission_is_not_sent_for_a_proof(served: Served) -> None:
    person = await served.person()
    old = {"Authorization": f"Bearer {await aged(served, person, FRESH.max_age + 30)}"}
    answer = await served.http.post("/api/v1/signing-keys/rotate", headers=old)
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")


async def test_another_username_asks_for_a_fresh_proof_and_another_name_does_not(served: Served) -> None:
    person = await served.person()
    old = {"Authorization": f"Bearer {await aged(served, person, FRESH.max_age + 30)}"}
    answer = await served.http.patch("/api/v1/me", headers=old, json={"username": f"u{person.session_id[:8]}"})
    assert (answer.status_code, answer.json()["code"]) == (401, "reauthentication_required")
    assert (await served.http.patch("/api/v1/me", headers=old, json={"name": "Ada"})).status_code == 200
    assert (await served.http.patch("/api/v1/me", headers=old, json={"username": None})).status_code == 200
