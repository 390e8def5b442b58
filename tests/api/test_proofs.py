"""A proof of one event over HTTP: for auditors, written down, and as good as the log's key."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters import master_key
from adapters.checkpoint_key import open_signer
from adapters.second_place import FolderPlace
from adapters.wrapping import Wrapping
from minos_sdk.audit import verify_proof
from minos_sdk.audit.notes import LogKey
from tests.api.conftest import Person, Served
from workers.integrator.integrator import Integrator


@pytest.fixture
async def key(served: Served, tmp_path: Path) -> AsyncIterator[LogKey]:
    """Everything there is so far is in a checkpoint."""
    await served.project()
    wrapping = Wrapping([master_key.load(served.world.settings)])
    signer = await open_signer(served.world.replays.links, wrapping, served.world.settings.issuer)
    integrator = Integrator(served.database.app_url, signer, FolderPlace(tmp_path))
    while await integrator.step():
        pass
    yield LogKey.parse(signer.name.verifier(1).line())
    await integrator.close()


async def test_a_question_without_what_it_needs_is_told_what_that_is(admin: Person) -> None:
    for asked, needed in (("proofs", "position"), ("proofs/consistency?second=1", "first"), ("proofs/consistency?first=1", "second")):
        answer = await admin.ask("GET", f"/audit/{asked}")
        assert (answer.status_code, answer.json()["errors"]) == (422, [{"pointer": f"?{needed}", "code": "missing", "detail": "Required."}])


async def test_an_auditor_proves_an_event_to_somebody_else(served: Served, admin: Person, key: LogKey) -> None:
    answer = await admin.ask("GET", "/audit/proofs", params={"position": 2})
    assert (answer.status_code, answer.headers["content-disposition"]) == (200, 'attachment; filename="2.tlog-proof"')
    found = verify_proof(answer.content, [key])
    [event] = [
        e for e in (await admin.ask("GET", "/audit/events", params={"stream": found.place.stream})).json()["data"] if e["position"] == 2
    ]
    assert (event["version"], event["type"]) == (found.place.version, found.place.type)
    await served.project()
    asked = (await admin.ask("GET", "/audit/events", params={"type_prefix": "audit.asked", "limit": 1})).json()["data"]
    assert asked[0]["actor"] == f"user:{admin.user_id}"


async def test_what_is_not_there_or_not_for_the_caller_is_refused(served: Served, admin: Person) -> None:
    nowhere = await admin.ask("GET", "/audit/proofs", params={"position": 2**53 - 1})
    assert (nowhere.status_code, nowhere.json()["code"]) == (404, "no_such_event")
    token = await served.machine("minos.events.read")
    denied = await served.http.get("/api/v1/audit/proofs?position=2", headers={"Authorization": f"Bearer {token}"})
    assert (denied.status_code, denied.json()["code"]) == (403, "permission_denied")
