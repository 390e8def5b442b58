"""What is shown once, and sent by mail, is not in the database in a form that a thief could use, nor in any line that was printed."""

import asyncio
import base64
import email
import re
import time
from email import policy

import httpx
import pytest

from bench.running import Running
from domain import totp
from tests.e2e.people import Person, register
from tests.e2e.stored import everything_stored


async def shown_once(http: httpx.AsyncClient, admin: Person, ada: Person) -> list[str]:
    """Enrol a factor, make a key and a service account, use them, and give every secret that went over the wire."""
    seed = (await ada.ask("POST", "/me/factors/totp", {})).json()["secret"]
    code = totp.code_at(base64.b32decode(seed), int(time.time()) // totp.STEP)
    recovery_codes = (await ada.ask("POST", "/me/factors/totp/confirm", {"code": code})).json()["recovery_codes"]
    asked = (await http.post("/api/v1/auth/login", json={"email": ada.email, "password": ada.password})).json()
    answer = {"challenge": asked["challenge"], "factor": "recovery_code", "code": recovery_codes[0]}
    assert (await http.post("/api/v1/auth/login/factor", json=answer)).status_code == 200
    key = (await admin.ask("POST", "/me/api-keys", {"name": "script", "permissions": ["minos.roles.read"]})).json()["api_key"]
    assert (await http.get("/api/v1/roles", headers={"X-API-Key": key})).status_code == 200
    robot = (await admin.ask("POST", "/service-accounts", {"name": "robot", "audiences": ["orders"], "permissions": []})).json()
    granted = await http.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=(robot["client_id"], robot["client_secret"]))
    assert granted.status_code == 200, granted.text
    wish = {"action": "minos:define-role", "method": "POST", "path": "/api/v1/roles"}
    action = (await admin.ask("POST", "/auth/action-tokens", wish)).json()["action_token"]
    seeds = [seed, base64.b32decode(seed).hex()]
    codes = [*recovery_codes, *(written.replace("-", "") for written in recovery_codes)]
    machines = [key, key.rpartition("_")[2], robot["client_secret"], granted.json()["access_token"]]
    return [*seeds, *codes, *machines, asked["challenge"], action]


async def mailed(running: Running, http: httpx.AsyncClient, person: Person) -> str:
    """Ask for a new password, and give the token of the link that comes."""
    assert (await http.post("/api/v1/auth/password/forgot", json={"email": person.email})).status_code == 202
    async with asyncio.timeout(20):
        while True:
            for file in (running.data / "mail").glob("*.eml"):
                letter = email.message_from_bytes(file.read_bytes(), policy=policy.default)
                body = letter.get_body(("plain",))
                found = re.search(r"/reset#token=(\S+)", "" if body is None else body.get_content())
                if letter["To"] == person.email and found:
                    return found[1]
            await asyncio.sleep(0.05)


@pytest.mark.timeout(60)
async def test_secrets_of_factors_machines_and_mails_in_clear_text_stores_or_logs(
    running: Running, http: httpx.AsyncClient, admin: Person
) -> None:
    ada = await register(http)
    secrets = [*await shown_once(http, admin, ada), await mailed(running, http, ada)]
    stored = await everything_stored(running)
    assert ada.user_id in stored
    assert "/api/v1/me/factors/totp/confirm" in running.printed
    for secret in secrets:
        assert len(secret) > 11
        assert secret not in stored
        assert secret.encode().hex() not in stored
        assert secret not in running.printed
