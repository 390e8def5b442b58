"""Mailed codes over HTTP: turned on, shown at sign-in, sent again."""

from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from commands.transact import Read, read_states
from commands.verify_email import verify_token
from domain import user
from domain.ids import UserId
from tests.api.conftest import Person, Served

CHOSEN = "another horse battery staple"


async def proved(served: Served) -> Person:
    """A signed-in person whose address was proved."""
    person, ports = await served.person(), served.world.ports
    read: Read = (user.decider, user.stream(UserId(UUID(person.user_id))))
    tx = await read_states(ports, [read])
    token = verify_token(user.account_of(tx.state(*read)), asked_at=tx.at, ports=ports)
    answer = await served.http.post("/api/v1/auth/email/verify", json={"token": token, "new_password": CHOSEN})
    assert answer.status_code == 200, answer.text
    person.password = CHOSEN
    answer = await login(served, person)
    person.keep(answer)
    return person


async def login(served: Served, person: Person, **more: str) -> dict[str, Any]:
    answer = await served.http.post("/api/v1/auth/login", json={"email": person.email, "password": person.password, **more})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def newest_code(served: Served, person: Person) -> str:
    """As the mailer derives it, from the row that asks for it."""
    connection = await asyncpg.connect(served.database.owner_url)
    try:
        newest = "SELECT facts FROM mail_ledger WHERE user_id = $1 AND letter LIKE '%_code' ORDER BY mail_id DESC LIMIT 1"
        facts = msgspec.json.decode(await connection.fetchval(newest, UUID(person.user_id)))
    finally:
        await connection.close()
    return served.world.ports.mail_codes.code(UUID(facts["subject_id"]), UserId(UUID(person.user_id)))


async def test_codes_by_mail_from_turning_them_on_to_signing_in(served: Served) -> None:
    person = await proved(served)
    offer = await person.ask("POST", "/me/factors/email-otp")
    assert offer.status_code == 202, offer.text
    mask = f"{person.email[:1]}***@example.org"
    assert (offer.json()["sent_to"], offer.json()["expires_in"]) == (mask, 600)
    wish = {"challenge": offer.json()["challenge"], "code": await newest_code(served, person)}
    enabled = await person.ask("POST", "/me/factors/email-otp/confirm", json=wish)
    assert (enabled.status_code, len(enabled.json()["recovery_codes"])) == (200, 10)
    asked = await login(served, person)
    assert asked["factors"] == [{"factor": "email", "sent_to": mask}, {"factor": "recovery_code"}]
    again = await served.http.post("/api/v1/auth/login/factor/resend", json={"challenge": asked["challenge"]})
    assert (again.status_code, again.json()["sent_to"]) == (202, mask)
    assert 590 <= again.json()["expires_in"] <= 600
    wish = {"challenge": asked["challenge"], "factor": "email", "code": await newest_code(served, person)}
    pair = await served.http.post("/api/v1/auth/login/factor", json=wish)
    assert (pair.status_code, pair.json()["status"]) == (200, "signed_in")
    person.keep(pair.json())
    proof = await person.ask("POST", "/auth/reauthenticate/code")
    assert proof.status_code == 202
    wish = {"factor": "email", "challenge": proof.json()["challenge"], "code": await newest_code(served, person)}
    alone = await person.ask("POST", "/auth/reauthenticate", json=wish)
    assert (alone.status_code, alone.json()["code"]) == (401, "proof_incomplete")
    wish["password"] = person.password
    assert (await person.ask("POST", "/auth/reauthenticate", json=wish)).status_code == 200


async def test_an_address_that_nobody_proved_gets_no_codes(served: Served) -> None:
    person = await served.person()
    refused = await person.ask("POST", "/me/factors/email-otp")
    assert (refused.status_code, refused.json()["code"]) == (403, "email_not_verified")
