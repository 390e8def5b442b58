"""The description is true: requests made from it, valid and not, against the running authority."""

import asyncio
import os
import sys
import sysconfig
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.openapi import described
from api.policy import POLICY, Needs
from api.routes import ROUTES
from bench.running import Running
from tests.api.conftest import PASSWORD, RAISED
from tests.e2e.conftest import SMALL

HERE = Path(__file__).parent
PHASES = "examples,coverage,fuzzing" if os.environ.get("MINOS_TEST_EVERYTHING") else "examples,fuzzing"
"""The bounds of each parameter by itself are some five thousand requests: they are sent when everything is tested."""


@pytest.fixture(scope="session")
async def authority(api_folder: Path) -> Any:
    folder = api_folder / "described"
    folder.mkdir()
    async with Running(folder, audiences="orders", limits_file=str(RAISED), **SMALL) as running:
        yield running


async def administrators(authority: Running, number: int) -> list[str]:
    emails = [f"root{n}@example.org" for n in range(number)]
    async with httpx.AsyncClient(base_url=f"{authority.url}/api/v1") as http:
        body = {"code": authority.bootstrap_code, "email": emails[0], "password": PASSWORD}
        (await http.post("/bootstrap", json=body)).raise_for_status()
        login = await http.post("/auth/login", json={"email": emails[0], "password": PASSWORD})
        headers = {"Authorization": f"Bearer {login.raise_for_status().json()['access_token']}"}
        for email in emails[1:]:
            made = await http.post("/auth/register", json={"email": email, "password": PASSWORD})
            user_id = made.raise_for_status().json()["user_id"]
            (await http.put(f"/users/{user_id}/roles/admin", headers=headers)).raise_for_status()
    return emails


@pytest.mark.timeout(280)
async def test_requests_made_from_the_description_are_answered_as_it_says(authority: Running) -> None:
    emails = await administrators(authority, 24)
    child = await asyncio.create_subprocess_exec(
        f"{sysconfig.get_path('scripts')}/schemathesis",
        *("--config-file", str(HERE / "schemathesis.toml"), "run", f"{authority.url}/openapi.json"),
        *("--checks", "all", "--no-color", "--seed", "1", "--phases", PHASES),
        env={
            "PATH": os.environ["PATH"],
            "SCHEMATHESIS_HOOKS": "tests.api.schemathesis_hooks",
            "PYTHONPATH": os.pathsep.join([str(HERE.parent.parent), *sys.path]),
            "RUN_URL": authority.url,
            "RUN_EMAILS": ",".join(emails),
            "RUN_PASSWORD": PASSWORD,
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await asyncio.wait_for(child.communicate(), 270)
    assert child.returncode == 0, out.decode(errors="replace")[-20_000:]


def operations() -> list[dict[str, Any]]:
    return [operation for item in described(tuple(ROUTES))["paths"].values() for operation in item.values()]


def test_every_operation_is_described() -> None:
    undocumented = {"findDocs", "readDocs", "readDocsAsset", "readProblems", "readOpenApi", "readAsyncApi"} | {
        "showVerify", "showConfirm", "showChange", "showUndo", "showReset", "showInvite", "readAccountScript", "readAccountStyle",
    }  # fmt: skip
    assert {operation["operationId"] for operation in operations()} == set(POLICY) - undocumented
    assert all(operation["summary"] for operation in operations())


def test_every_guarded_operation_asks_for_a_token_and_can_refuse_it() -> None:
    for operation in operations():
        needs = POLICY[operation["operationId"]].needs
        guarded = needs is not Needs.NOTHING
        assert operation["security"] == ([{"client": []}, {}] if needs is Needs.CLIENT else [{"bearer": []}] if guarded else [])
        assert not guarded or "401" in operation["responses"]


def test_every_refusal_is_a_problem_and_an_oauth_endpoints_is_its_rfcs() -> None:
    for operation in operations():
        name = operation["operationId"]
        kind = "application/json" if POLICY[name].needs is Needs.CLIENT else "application/problem+json"
        for status, response in operation["responses"].items():
            if not name.startswith("health") and (status.startswith("4") or status == "503"):
                assert kind in response["content"], (name, status)
        assert POLICY[name].needs is not Needs.CLIENT or "400" in operation["responses"]
