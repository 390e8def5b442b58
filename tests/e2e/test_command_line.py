"""The `minos` commands beside a running authority: what they print, what their exit codes say."""

import asyncio
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest
from nats.aio.client import Client

from adapters.event_envelope import LEAVING
from bench.running import Running
from cli import startup
from cli.authority import authority, owner_url
from tests.api.test_past_token import jti_of
from tests.e2e.people import Person, address, register
from tests.keys.test_foreign_hashes import MADE
from tests.keys.test_foreign_hashes import PASSWORD as IMPORTED


async def told(running: Running, *arguments: str) -> Any:
    """Run a command with --json, which has to succeed, and give what it says."""
    done = await running.minos(*arguments, "--json")
    assert done.code == 0, done.err
    return json.loads(done.out)


async def test_users_are_listed_shown_and_changed(running: Running, http: httpx.AsyncClient, admin: Person) -> None:
    ada = await register(http)
    assert (await told(running, "users", "show", ada.email))[0]["user_id"] == ada.user_id
    await told(running, "users", "suspend", ada.email, "--reason", "left")
    assert not await ada.is_signed_in()
    assert (await told(running, "users", "reinstate", ada.user_id))[0]["status"] == "active"
    assert "admin" in (await told(running, "users", "grant", ada.email, "admin"))[0]["roles"]
    ada = await ada.sign_in()
    assert (await ada.get("/users")).status_code == 200
    await told(running, "users", "revoke", ada.email, "admin")
    assert (await ada.get("/users")).status_code == 403
    actors = {row["by"] for row in await told(running, "users", "history", ada.email)}
    assert "system:cli" in actors
    listed = await told(running, "users", "list", "--limit", "200")
    assert {admin.user_id, ada.user_id} <= {row["user_id"] for row in listed}


async def test_users_are_deleted_and_restored_and_found_by_what_they_are_called(
    running: Running, http: httpx.AsyncClient, admin: Person
) -> None:
    ada = await register(http)
    [deleted] = await told(running, "users", "delete", ada.email, "--reason", "left")
    assert (deleted["status"], deleted["restorable_until"] is not None) == ("deleted", True)
    assert not await ada.is_signed_in()
    assert (await told(running, "users", "restore", ada.user_id))[0]["status"] == "active"
    nobody, somebody = await running.minos("users", "erased", str(uuid4())), await running.minos("users", "erased", ada.user_id)
    assert (nobody.code, somebody.code, "nobody of this id" in nobody.err, somebody.err) == (0, 1, True, "")
    unknown = await running.minos("users", "set", ada.email, "team=red")
    assert (unknown.code, "attribute" in unknown.err) == (2, True)


async def test_people_are_invited_and_an_invitation_is_taken_back(running: Running, admin: Person) -> None:
    guest = address()
    [made] = await told(running, "invitations", "make", guest, "--role", "user")
    listed = (await admin.get("/invitations")).json()["data"]
    async with asyncio.timeout(10):
        while made["invitation_id"] not in {row["invitation_id"] for row in listed}:
            await asyncio.sleep(0.05)
            listed = (await admin.get("/invitations")).json()["data"]
    assert (await running.minos("invitations", "revoke", made["invitation_id"])).code == 0
    again = await running.minos("invitations", "resend", made["invitation_id"])
    assert (again.code, "invitation" in again.err) == (2, True)
    assert guest in {row["email"] for row in await told(running, "invitations", "list")}


async def test_roles_are_defined_changed_and_retired(running: Running, http: httpx.AsyncClient, admin: Person) -> None:
    assert (await told(running, "roles", "define", "stoker", "engine.*"))[0]["permissions"] == ["engine.*"]
    assert (await told(running, "roles", "set", "stoker", "engine.feed"))[0]["permissions"] == ["engine.feed"]
    assert (await admin.get("/roles/stoker")).json()["permissions"] == ["engine.feed"]
    assert (await told(running, "roles", "retire", "stoker"))[0]["retired"]
    assert {"admin", "user"} <= {row["role"] for row in await told(running, "roles", "list")}


async def test_sessions_are_listed_and_ended(running: Running, http: httpx.AsyncClient, admin: Person) -> None:
    ada = await register(http)
    phone = await ada.sign_in()
    await told(running, "sessions", "revoke", ada.email, phone.session_id)
    assert [await ada.is_signed_in(), await phone.is_signed_in()] == [True, False]
    await told(running, "sessions", "revoke", ada.email, "--all")
    assert not await ada.is_signed_in()
    assert (await running.minos("sessions", "revoke", ada.email)).code == 2


async def test_keys_are_listed_and_turned(running: Running, http: httpx.AsyncClient, admin: Person) -> None:
    ada = await register(http)
    before = {row["stage"]: row["kid"] for row in await told(running, "keys", "list") if row["purpose"] == "access"}
    after = {row["kid"]: row["stage"] for row in await told(running, "keys", "rotate")}
    assert after[before["published"]] == "active"
    assert after[before["active"]] == "retiring"
    assert await ada.is_signed_in()


async def test_a_command_with_keys_finds_the_owner_of_what_up_runs(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINOS_DATA_DIR", str(running.data))
    async with authority(startup.settings()) as opened:
        assert urlsplit(opened.url.reveal()).username == "minos_app"
        assert urlsplit(owner_url(opened.settings).reveal()).username == "minos_owner"


async def test_projections_say_how_far_they_are(running: Running, admin: Person) -> None:
    said = await told(running, "projections", "status")
    assert {"users", "sessions", "roles"} <= {row["name"] for row in said["projections"]}
    assert said["parked"] == []


async def test_read_model_is_rebuilt_switched_and_switched_back_while_it_serves(running: Running, admin: Person) -> None:
    before = await admin.get("/users?limit=200")
    built = await told(running, "projections", "rebuild", "users")
    assert built["switched"]
    after = await admin.get("/users?limit=200")
    assert (after.status_code, after.json()["data"]) == (200, before.json()["data"])
    back = await told(running, "projections", "back", "users")
    assert back["serving"] == built["generation"] - 1
    assert (await admin.get("/users?limit=200")).json()["data"] == before.json()["data"]


async def test_settings_hide_secrets(running: Running, admin: Person) -> None:
    rows = {row["name"]: row for row in await told(running, "settings")}
    assert rows["MINOS_PORT"]["value"] == int(running.url.rpartition(":")[2])
    shown = await running.minos("settings", "--json", database_url="postgresql://minos_app:hunter2@/minos")
    assert "hunter2" not in shown.out
    assert "hunter2" in (await running.minos("settings", "--json", "--reveal", database_url="postgresql://minos_app:hunter2@/minos")).out


async def test_doctor_finds_nothing_wrong(running: Running, admin: Person) -> None:
    done = await running.minos("doctor", "--json")
    assert done.code == 0, done.out + done.err


async def test_migrate_has_nothing_left_to_do(running: Running, admin: Person) -> None:
    done = await running.minos("migrate", "--check", "--json", database_url=running.database_url, migration_database_url=running.owner_url)
    assert done.code == 0, done.err
    assert json.loads(done.out)["pending"] == []


async def test_what_cannot_be_done_says_so_in_one_line_and_exits_2(running: Running, admin: Person) -> None:
    for arguments in (
        ("users", "show", address()),
        ("users", "grant", admin.email, "no-such-role"),
        ("users", "revoke", admin.email, "admin"),
        ("roles", "define", "admin"),
        ("roles", "define", "Not A Slug"),
        ("keys", "revoke", "nonsense"),
        ("nonsense",),
    ):
        done = await running.minos(*arguments)
        assert done.code == 2, (arguments, done)
        assert done.out == ""
        assert "Traceback" not in done.err
        assert done.err.splitlines()[-1].startswith("minos")


async def test_both_sources_of_events_show_the_same(running: Running, http: httpx.AsyncClient, admin: Person) -> None:
    await register(http)
    size = (await told(running, "log", "status"))[0]["size"]
    arguments = ("events", "--after", "0", "--json")
    stored = [json.loads(line) for line in (await running.minos(*arguments)).out.splitlines()][:size]
    sent = [json.loads(line) for line in (await running.minos(*arguments, "--nats")).out.splitlines()][:size]
    assert len(stored) == len(sent) == size
    for ours, theirs in zip(stored, sent, strict=True):
        kept = {name: value for name, value in ours["data"].items() if name not in LEAVING[ours["type"]]}
        assert ours == theirs | {"data": theirs["data"] | kept}
        assert "type" not in kept


async def test_unknown_setting_under_the_prefix_refuses(running: Running, admin: Person) -> None:
    done = await running.minos("users", "list", no_such_setting="1")
    assert done.code == 2
    assert "MINOS_NO_SUCH_SETTING" in done.err


async def test_every_command_has_help(running: Running) -> None:
    for command in (
        "up",
        "serve",
        "work",
        "migrate",
        "doctor",
        "settings",
        "admin",
        "users",
        "roles",
        "sessions",
        "keys",
        "projections",
        "events",
        "bench",
    ):
        done = await running.minos(command, "--help")
        assert done.code == 0, done.err
        assert done.out.startswith(f"usage: minos {command}")


async def test_audiences_and_service_accounts_are_made_turned_and_ended(running: Running, http: httpx.AsyncClient) -> None:
    [defined] = await told(running, "audiences", "define", "boiler", "boiler.read", "--ttl", "60", "--for", "service")
    assert (defined["access_token_ttl"], defined["principals"]) == (60, ["service"])
    [made] = await told(running, "service-accounts", "create", "gauge", "--audience", "boiler", "--permission", "boiler.read")
    grant = {"grant_type": "client_credentials", "client_id": made["client_id"], "client_secret": made["client_secret"]}
    address = f"{running.url}/oauth2/token"
    assert (await http.post(address, data=grant)).json()["scope"] == "boiler.read"
    [turned] = await told(running, "service-accounts", "rotate", "gauge", "--overlap", "0")
    assert (await http.post(address, data=grant)).json()["error"] == "invalid_client"
    assert (await http.post(address, data=grant | {"client_secret": turned["client_secret"]})).status_code == 200
    [stopped] = await told(running, "service-accounts", "disable", made["client_id"])
    assert (stopped["name"], stopped["enabled"]) == ("gauge", False)
    assert await told(running, "service-accounts", "delete", "gauge") == []
    assert (await told(running, "audiences", "retire", "boiler"))[0]["retired"]


async def test_one_command_lets_a_service_read_its_signals(running: Running, http: httpx.AsyncClient) -> None:
    [made] = await told(running, "service-accounts", "create", "till", "--signals", "till")
    [shown] = [account for account in await told(running, "service-accounts", "list") if account["client_id"] == made["client_id"]]
    assert (shown["audiences"], shown["permissions"]) == (["minos", "nats", "till"], ["minos.signals.access", "minos.signals.roles.till"])
    assert "till" in {row["audience"] for row in await told(running, "audiences", "list")}
    grant = {"grant_type": "client_credentials", "client_id": made["client_id"], "client_secret": made["client_secret"], "audience": "nats"}
    token = (await http.post(f"{running.url}/oauth2/token", data=grant)).json()["access_token"]
    nats = Client()
    await nats.connect(running.nats.url, token=token, inbox_prefix=f"_INBOX_{made['client_id']}".encode(), allow_reconnect=False)
    heard = await nats.subscribe("live.v1.access.heartbeat")
    assert (await heard.next_msg(timeout=10)).data.startswith(b"eyJ")
    await nats.close()
    [more] = await told(running, "service-accounts", "set", "till", "--signals", "shelf")
    assert more["permissions"] == ["minos.signals.access", "minos.signals.roles.shelf", "minos.signals.roles.till"]
    assert more["audiences"] == ["minos", "nats", "shelf", "till"]
    told_off = await running.minos("service-accounts", "create", "nothing")
    assert (told_off.code, "--signals" in told_off.err) == (2, True)


async def test_accounts_of_another_system_are_imported_and_sign_in(running: Running, http: httpx.AsyncClient, tmp_path: Path) -> None:
    file, report = tmp_path / "users.ndjson", tmp_path / "refused.ndjson"
    email, other = address(), address()
    people = [
        {"email": email, "password_hash": MADE["bcrypt 2b"], "name": "Ada"},
        {"email": email.upper(), "password_hash": MADE["werkzeug scrypt"]},
        {"email": other, "password_hash": "$2b$31$" + MADE["bcrypt 2b"][7:]},
    ]
    file.write_text("".join(json.dumps(each) + "\n" for each in people) + "no line\n", encoding="utf-8")
    told_before = await running.minos("users", "import", str(file), "--dry-run", "--json")
    assert not (await told_of(running, email))
    done = await running.minos("users", "import", str(file), "--report", str(report), "--json")
    assert json.loads(told_before.out) == json.loads(done.out) | {"dry_run": True}
    assert (done.code, json.loads(done.out)["refused"]) == (1, {"hash_too_costly": 1, "malformed": 1})
    assert [json.loads(line) for line in report.read_text().splitlines()] == [
        {"line": 3, "reason": "hash_too_costly"},
        {"line": 4, "reason": "malformed"},
    ]
    answer = await http.post("/api/v1/auth/login", json={"email": email, "password": IMPORTED})
    assert answer.status_code == 200, answer.text
    again = json.loads((await running.minos("users", "import", str(file), "--json")).out)
    assert (again["imported"], again["already_imported"]) == (0, 2)


async def test_what_an_erasure_would_take_and_who_would_be_told_is_said_before(running: Running, http: httpx.AsyncClient) -> None:
    email = address()
    body = {"email": email, "password": "over the hills and away"}
    await http.post("/api/v1/auth/register", json=body)
    assert (await http.post("/api/v1/auth/login", json=body)).status_code == 200
    await told(running, "audiences", "define", "lathe", "lathe.turn")
    async with asyncio.timeout(20):
        while not (seen := (await told(running, "users", "erase", email, "--dry-run"))[0])["sessions"] or "lathe" not in seen["services"]:
            await asyncio.sleep(0.1)
    assert (seen["sessions"], seen["account"]["names"], seen["account"]["due_at"]) == (1, 1, None)
    assert await told_of(running, email)


async def told_of(running: Running, email: str) -> bool:
    return (await running.minos("users", "show", email)).code == 0


async def test_service_tokens_are_issued_verified_listed_and_revoked(running: Running) -> None:
    await told(running, "audiences", "define", "kiln", "kiln.read")
    await told(running, "service-accounts", "create", "stoker-robot", "--audience", "kiln", "--permission", "kiln.read")
    printed = await running.minos("service-token", "issue", "stoker-robot", "--ttl", "90d")
    assert (printed.code, printed.out.count(".")) == (0, 2)
    token = printed.out.strip()
    [checked] = await told(running, "service-token", "verify", token)
    assert (checked["active"], checked["audience"], checked["scope"]) == (True, "kiln", "kiln.read")
    await told(running, "service-token", "revoke", checked["token_id"])
    assert (await running.minos("service-token", "verify", token)).code == 1
    wish = ("stoker-robot", "pipe", "--audience", "kiln", "--permission", "kiln.read", "--ttl", "3600")
    [key] = await told(running, "api-keys", "create", *wish)
    assert key["api_key"].startswith("mk_dev_")
    assert await told(running, "api-keys", "revoke", key["key_id"]) == []
    assert key["key_id"] not in {row["key_id"] for row in await told(running, "api-keys", "list", "--soon", "2")}
    assert (await running.minos("service-token", "verify", token[:-4] + "AAAA")).code == 1
    assert (await running.minos("service-token", "issue", "stoker-robot", "--ttl", "91d")).code == 2
    assert (await running.minos("service-token", "issue", "nobody-there")).code == 2


async def test_the_key_of_an_epoch_that_is_not_there_is_refused(running: Running) -> None:
    async with asyncio.timeout(20):
        while (printed := await running.minos("audit", "key")).code:  # the integrator has not made it yet
            await asyncio.sleep(0.1)
    assert (await running.minos("audit", "key", "--epoch", "1")).out == printed.out
    later = await running.minos("audit", "key", "--epoch", "9")
    assert (later.code, later.err, later.out) == (2, "minos: there is no epoch 9: the log is in epoch 1\n", "")


async def test_a_token_is_traced_to_what_it_could_do_and_to_what_ended_it(running: Running, http: httpx.AsyncClient) -> None:
    ada = await register(http)
    jti = jti_of(ada.tokens["access_token"])
    async with asyncio.timeout(20):
        while (await running.minos("audit", "token", jti)).code:  # its event has no position yet
            await asyncio.sleep(0.1)
    traced = await told(running, "audit", "token", jti)
    assert (traced["user_id"], [right["id"] for right in traced["rights"]], traced["revoked"]) == (ada.user_id, ["user"], None)
    words = await running.minos("audit", "token", jti)
    assert words.out.splitlines()[:2] == [
        f"issued by position {traced['cites'][0]['position']}, for minos",
        f"of user {ada.user_id}, session {traced['session_id']}",
    ]
    assert words.out.splitlines()[-1] == "not ended before its time"
    await told(running, "users", "suspend", ada.user_id)
    async with asyncio.timeout(20):
        while (ended := (await told(running, "audit", "token", jti))["revoked"]) is None:
            await asyncio.sleep(0.1)
    assert (await running.minos("audit", "token", jti)).out.splitlines()[-1] == f"ended by position {ended['position']}"
    for never in ("x", str(uuid4())):
        refused = await running.minos("audit", "token", never)
        assert (refused.code, refused.err.count("\n"), refused.out) == (2, 1, "")
    asked = [json.loads(line)["payload"] for line in (await running.minos("audit", "replay", "--type", "audit.asked")).out.splitlines()]
    assert "token" in {each["question"] for each in asked}


async def test_the_log_is_replayed_and_what_is_sealed_is_opened_only_on_the_record(running: Running, http: httpx.AsyncClient) -> None:
    ada = await register(http)
    asked = ("audit", "replay", "--user", ada.email, "--type", "user.registered")
    [closed] = map(json.loads, (await running.minos(*asked)).out.splitlines())
    assert closed["payload"]["email"] == {"sealed": True, "key_id": closed["key_id"]}
    [opened] = map(json.loads, (await running.minos(*asked, "--reveal")).out.splitlines())
    assert opened["payload"]["email"] == ada.email
    reveals = [json.loads(line)["payload"] for line in (await running.minos("audit", "replay", "--type", "audit.asked")).out.splitlines()]
    assert (reveals[-1]["question"], reveals[-1]["user_id"]) == ("reveal", ada.user_id)
    passwords = await running.minos("audit", "replay", "--user", ada.user_id, "--type", "user.password_set", "--reveal")
    assert json.loads(passwords.out)["payload"]["password"]["sealed"]
    late = await running.minos("audit", "replay", "--since", "2999-01-01T00:00:00Z")
    assert (late.code, late.out) == (0, "")
    assert (await running.minos("audit", "replay", "--since", "2999-01-01")).code == 2


async def test_a_refused_sign_in_is_explained(running: Running, http: httpx.AsyncClient) -> None:
    ada = await register(http)
    await http.post("/api/v1/auth/login", json={"email": ada.email, "password": "none of theirs"})
    explained = await told(running, "audit", "explain", ada.email)
    assert (explained["verdict"], [each["outcome"] for each in explained["sign_ins"]][-1]) == ("allowed", "wrong_password")
    nowhere = await running.minos("audit", "explain", ada.email, "--audience", "nope")
    assert (nowhere.code, nowhere.err) == (2, "minos: There is no such audience.\n")
    words = await running.minos("audit", "explain", ada.email, "--at", "2020-01-01T00:00:00Z")
    assert (words.code, words.out.splitlines()[0].split()[0]) == (0, "no_such_account")
