"""Somebody asks about the past who may not, goes on with another's cursor, or asks in a language of ours."""

import pytest

from tests.api.conftest import Person, Served

AT = "/audit/at"


@pytest.mark.parametrize("question", [{"who_can": "*"}, {"who_has": "admin"}, {"what_can": "me"}, {"sessions_of": "me"}])
async def test_nobody_asks_without_the_right_not_even_about_themselves(served: Served, question: dict[str, str]) -> None:
    person = await served.person()
    mine = {name: f"user:{person.user_id}" if text == "me" else text for name, text in question.items()}
    answer = await person.ask("GET", AT, params=mine)
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    stranger = await served.http.get(f"/api/v1{AT}", params=mine)
    assert stranger.status_code == 401


async def test_a_cursor_is_worth_nothing_to_another_or_for_another_question(served: Served, admin: Person) -> None:
    for _ in range(2):
        await served.person(sign_in=False)
    await served.project()
    cursor = (await admin.ask("GET", AT, params={"who_has": "user", "limit": 1})).json()["next_cursor"]
    assert cursor is not None
    deputy = await served.person()
    await admin.ask("PUT", f"/users/{deputy.user_id}/roles/admin")
    stolen = await deputy.ask("GET", AT, params={"who_has": "user", "cursor": cursor})
    others = [
        await admin.ask("GET", AT, params={**question, "cursor": cursor})
        for question in ({"who_has": "admin"}, {"who_can": "user"}, {"who_has": "user", "time": "position:1"})
    ]
    assert {(answer.status_code, answer.json()["code"]) for answer in (stolen, *others)} == {(400, "cursor_invalid")}
    await admin.ask("DELETE", f"/users/{deputy.user_id}/roles/admin")


@pytest.mark.parametrize(
    "text", ["a' OR '1'='1", "a.b'; DROP TABLE events; --", "%", "a.%", "a.b\x00", "{table}", "a.b\n", "*' --", "a" * 128 + ".b"]
)
async def test_a_permission_is_never_a_piece_of_a_statement(admin: Person, text: str) -> None:
    answer = await admin.ask("GET", AT, params={"who_can": text})
    assert answer.status_code == 422


async def test_who_lost_the_right_is_answered_nothing_more(served: Served, admin: Person) -> None:
    auditor = await served.person()
    await admin.ask("PUT", f"/users/{auditor.user_id}/roles/admin")
    assert (await auditor.ask("GET", AT, params={"who_has": "admin", "time": "position:1"})).status_code == 200
    await admin.ask("DELETE", f"/users/{auditor.user_id}/roles/admin")
    assert (await auditor.ask("GET", AT, params={"who_has": "admin", "time": "position:1"})).status_code == 403
