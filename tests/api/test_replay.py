"""The log again over HTTP: what is asked of it, sealed or opened, with a last line that says whether that was all."""

from typing import Any

import httpx
import msgspec
import pytest

from adapters.log_reader import LogReader
from tests.api.conftest import Person, Served

Line = dict[str, Any]


async def answered(served: Served, token: str, **asked: object) -> httpx.Response:
    given = {name: str(value) for name, value in asked.items()}
    return await served.http.get("/api/v1/audit/replay", params=given, headers={"Authorization": f"Bearer {token}"})


async def replayed(served: Served, token: str, **asked: object) -> tuple[list[Line], Line]:
    answer = await answered(served, token, **asked)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-ndjson"), answer.text
    *lines, end = map(msgspec.json.decode, answer.text.splitlines())
    return lines, end


async def newest(served: Served) -> int:
    await served.project()
    reader = LogReader(served.database.app_url)
    try:
        return (await reader.size()).size
    finally:
        await reader.close()


@pytest.fixture(scope="session")
async def auditor(served: Served) -> str:
    return await served.machine("minos.audit.read")


async def test_every_event_comes_once_and_the_last_line_says_that_it_was_all(
    served: Served, auditor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.replaying.PAGE", 7)
    size = await newest(served)
    lines, end = await replayed(served, auditor)
    assert [line["position"] for line in lines] == list(range(1, size + 1))
    assert end == {"complete": True, "next": size, "epoch": 1, "size": size}


async def test_it_goes_on_from_where_it_ended(served: Served, auditor: str) -> None:
    first, end = await replayed(served, auditor, through=3)
    assert ([line["position"] for line in first], end["complete"], end["next"]) == ([1, 2, 3], True, 3)
    second, _ = await replayed(served, auditor, after=end["next"], through=5, epoch=end["epoch"])
    assert [line["position"] for line in second] == [4, 5]


async def test_filters_hold_together(served: Served, auditor: str) -> None:
    ada, bob = await served.person(), await served.person()
    await newest(served)
    lines, _ = await replayed(served, auditor, user_id=ada.user_id)
    assert {line["payload"]["user_id"] for line in lines} == {ada.user_id}
    assert {"user.registered.v1", "session.started.v1"} <= {line["type"] for line in lines}
    assert (await replayed(served, auditor, user_id=ada.user_id, stream=f"user-{bob.user_id}"))[0] == []
    [started] = (await replayed(served, auditor, user_id=ada.user_id, type_prefix="session.started"))[0]
    since, _ = await replayed(served, auditor, since=started["recorded_at"])
    until, _ = await replayed(served, auditor, until=started["recorded_at"])
    assert (since[0]["position"], until[-1]["position"]) == (started["position"], started["position"] - 1)


async def test_what_is_asked_is_in_the_log_before_the_answer(served: Served) -> None:
    token, person = await served.machine("minos.audit.read"), await served.person()
    size = await newest(served)
    await replayed(served, token, user_id=person.user_id)
    await newest(served)
    asked, _ = await replayed(served, token, after=size, type_prefix="audit.asked")
    assert [(line["payload"]["question"], line["payload"]["user_id"], line["payload"]["last"]) for line in asked] == [
        ("replay", person.user_id, size)
    ]
    assert asked[0]["actor"].startswith("client:")


async def test_an_administrator_with_a_fresh_proof_sees_what_is_sealed(served: Served, admin: Person) -> None:
    person = await served.person()
    size = await newest(served)
    closed, _ = await replayed(served, admin.access, user_id=person.user_id, type_prefix="user.registered")
    assert closed[0]["payload"]["email"]["sealed"]
    answer = await admin.ask("POST", "/audit/reveal", json={"user_id": person.user_id})
    *opened, _ = map(msgspec.json.decode, answer.text.splitlines())
    by_type = {line["type"]: line["payload"] for line in opened}
    assert by_type["user.registered.v1"]["email"] == person.email
    assert by_type["user.password_set.v1"]["password"] == {"sealed": True, "key_id": by_type["user.password_set.v1"]["password"]["key_id"]}
    assert by_type["session.started.v1"]["user_agent"].startswith("python-httpx")
    await newest(served)
    asked, _ = await replayed(served, admin.access, after=size, type_prefix="audit.asked", actor=f"user:{admin.user_id}")
    assert [line["payload"]["question"] for line in asked][:2] == ["replay", "reveal"]


@pytest.mark.parametrize("asked", [{"after": 2**53 - 1}, {"epoch": 7}])
async def test_a_place_the_log_does_not_have_is_refused(served: Served, auditor: str, asked: dict[str, int]) -> None:
    answer = await answered(served, auditor, **asked)
    assert (answer.status_code, answer.json()["code"]) == (409, "log_changed")


async def test_a_process_that_stops_says_how_far_it_came(served: Served, auditor: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.replaying.PAGE", 2)
    await newest(served)
    served.world.leaving.set()
    try:
        lines, end = await replayed(served, auditor)
    finally:
        served.world.leaving.clear()
    assert ([line["position"] for line in lines], end["complete"], end["next"]) == ([1, 2], False, 2)


async def test_one_caller_has_no_more_than_two_open(served: Served, admin: Person) -> None:
    streams, name = served.world.replays.streams, f"user:{admin.user_id}"
    with streams.one_more(name), streams.one_more(name):
        answer = await answered(served, admin.access)
        assert (answer.status_code, answer.json()["code"]) == (429, "too_many_waiting")
    assert streams.total == 0
    assert (await replayed(served, admin.access, through=1))[1]["complete"]


@pytest.mark.parametrize("asked", [{name: "null"} for name in ("through", "since", "until", "user_id")])
async def test_a_filter_is_never_passed_over(served: Served, auditor: str, asked: dict[str, str]) -> None:
    assert (await answered(served, auditor, **asked)).status_code == 422


async def test_the_log_line_of_a_services_call_names_it_and_its_token(
    served: Served, auditor: str, capsys: pytest.CaptureFixture[str]
) -> None:
    claims = await served.world.tokens.verify(auditor, audiences=None)
    await replayed(served, auditor, through=1)
    told = capsys.readouterr().out
    assert f"client_id={claims.client_id}" in told
    assert "token_id=" in told
    assert claims.jti in told
