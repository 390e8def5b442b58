"""A link in a mail leads where the settings say, whatever the request that asked for it claimed; and opening it does nothing."""

from email import message_from_bytes, policy
from pathlib import Path

import asyncpg
import pytest
from msgspec.structs import replace

from adapters.mail.folder import FolderPost
from adapters.ports import open_ports
from tests.api.conftest import BASE, Served, settings_for
from workers.mailer.mailer import Mailer
from workers.mailer.opened import desk_of


async def test_the_host_of_a_request_is_in_no_link(served: Served, api_folder: Path, tmp_path: Path) -> None:
    person = await served.person(sign_in=False)
    for host in ("evil.minos.example", "127.0.0.1:1234"):
        headers = {"Host": host, "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example", "Origin": "https://evil.example"}
        answer = await served.http.post("/api/v1/auth/password/forgot", json={"email": person.email}, headers=headers)
        assert answer.status_code == 202
    settings = replace(settings_for(served.database, api_folder), mail_from="minos@minos.example", link_url=f"{BASE}/account")
    async with open_ports(settings) as opened:
        mailer = Mailer(served.database.app_url, FolderPost(tmp_path), desk_of(settings, opened))
        while await mailer.deliver():
            pass
        await mailer.close()
    mails = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in tmp_path.iterdir()]
    texts = [str(next(iter(mail.iter_parts())).get_content()) for mail in mails if mail["To"] == person.email]
    assert any("\nhttp://127.0.0.1:8000/account/reset#token=mlt_" in text for text in texts)
    assert not any("evil" in mail.as_string() or ":1234" in mail.as_string() for mail in mails)


@pytest.mark.parametrize("page", ["verify", "reset"])
async def test_a_scanner_that_opens_every_link_changes_nothing(served: Served, page: str) -> None:
    connection = await asyncpg.connect(served.database.app_url)
    try:
        before = await connection.fetchval("SELECT coalesce(max(append_id), 0) FROM events")
        for method in ("GET", "HEAD"):
            answer = await served.http.request(method, f"/account/{page}")
            assert answer.status_code == 200
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert answer.headers["cache-control"] == "no-store"
            assert "script-src 'self'" in answer.headers["content-security-policy"]
        for path in ("email/verify", "email/resend", "password/reset", "password/forgot", "password/reset/check"):
            assert (await served.http.get(f"/api/v1/auth/{path}")).status_code == 405
        assert await connection.fetchval("SELECT coalesce(max(append_id), 0) FROM events") == before
    finally:
        await connection.close()


async def test_a_token_in_an_address_is_refused_before_anything_looks_at_it(served: Served) -> None:
    """Query strings end up in logs."""
    assert (await served.http.get("/account/reset?token=mlt_x")).status_code == 422
    assert (await served.http.post("/api/v1/auth/password/reset?token=mlt_x", json={})).status_code == 422


async def test_the_pages_script_takes_the_token_out_of_the_address_first(served: Served) -> None:
    script = (await served.http.get("/account/page.js")).text
    assert script.index("history.replaceState") < script.index("fetch(")
    assert "innerHTML" not in script
