"""What a token could do when it was issued, over HTTP."""

from base64 import urlsafe_b64decode
from json import loads
from uuid import UUID, uuid4

import pytest

from commands.context import Context
from commands.service_tokens import IssueServiceToken, RevokeServiceToken, issue_service_token, revoke_service_token
from domain import token_origin
from domain.ids import ClientId, CorrelationId, SessionId
from tests.api.conftest import Person, Served


def jti_of(token: str) -> str:
    claims = token.split(".")[1]
    found: str = loads(urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["jti"]
    return found


async def test_a_token_leads_to_what_its_roles_gave_then_and_to_what_ended_it(served: Served, admin: Person) -> None:
    person = await served.person()
    jti = jti_of(person.access)
    await admin.ask("PUT", f"/users/{person.user_id}/roles/admin")
    await served.project()
    found = (await admin.ask("GET", f"/audit/tokens/{jti}")).json()
    assert (found["user_id"], found["session_id"], found["audience"]) == (person.user_id, person.session_id, "minos")
    assert [right["id"] for right in found["rights"]] == ["user"]
    assert (found["revoked"], found["permissions"]) == (None, None)
    await person.ask("POST", "/auth/logout")
    await served.project()
    ended = (await admin.ask("GET", f"/audit/tokens/{jti}")).json()["revoked"]
    (event,) = (await admin.ask("GET", "/audit/events", params={"type_prefix": "session.revoked", "limit": 1})).json()["data"]
    assert (ended["position"], ended["event_id"]) == (event["position"], event["event_id"])


@pytest.mark.parametrize("whole", [False, True], ids=["the token alone", "all of the account"])
async def test_a_service_token_says_what_is_in_it_and_what_ended_it(served: Served, admin: Person, whole: bool) -> None:
    body = {"name": "Stoker", "audiences": ["minos"], "permissions": ["minos.roles.read"]}
    client_id = ClientId((await admin.ask("POST", "/service-accounts", json=body)).json()["client_id"])
    ports = served.world.ports
    ctx = Context(correlation_id=CorrelationId(ports.random.uuid7()), system="cli")
    token = (await issue_service_token(IssueServiceToken(client_id=client_id, ttl=90 * 86_400), ctx, ports)).result
    await served.project()
    found = (await admin.ask("GET", f"/audit/tokens/{token.token_id}")).json()
    assert (found["client_id"], found["audience"], found["permissions"]) == (client_id, "minos", ["minos.roles.read"])
    assert found["revoked"] is None
    if whole:
        await admin.ask("POST", f"/service-accounts/{client_id}/revoke-tokens")
    else:
        await revoke_service_token(RevokeServiceToken(token_id=token.token_id), ctx, ports)
    await served.project()
    ended = (await admin.ask("GET", f"/audit/tokens/{token.token_id}")).json()["revoked"]
    prefix = "client.tokens_revoked" if whole else "token.revoked"
    (event,) = (await admin.ask("GET", "/audit/events", params={"type_prefix": prefix, "limit": 1})).json()["data"]
    assert (ended["position"], ended["event_id"]) == (event["position"], event["event_id"])


async def test_attack_a_token_that_never_was_is_not_told_of(served: Served, admin: Person) -> None:
    person = await served.person()
    await served.project()
    real = token_origin.read(jti_of(person.access))
    assert real is not None
    never = [
        token_origin.written(real.session_id, real.version + 1, bytes(8)),
        token_origin.written(real.session_id, 0, bytes(8)),
        token_origin.written(SessionId(UUID(int=7)), 1, bytes(8)),
        str(uuid4()),
        "x",
    ]
    answers = [await admin.ask("GET", f"/audit/tokens/{jti}") for jti in never]
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(404, "token_untraced")}
    refused = await person.ask("GET", f"/audit/tokens/{jti_of(person.access)}")
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")


@pytest.mark.parametrize("text", ["", "A" * 37, "A" * 39, "A" * 37 + "=", "A" * 37 + "B", "é" * 38])
def test_what_was_not_written_so_to_the_letter_has_no_origin(text: str) -> None:
    assert token_origin.read(text) is None
