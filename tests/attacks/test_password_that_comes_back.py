"""A leaked password is changed, and changed back: at once, in other code points, or after a few others."""

import unicodedata

import pytest

from tests.api.conftest import PASSWORD, Served

FIRST = "die Brücke über den Fluß"
CHANGE = "/auth/password/change"


SPELLED = {"as it was": FIRST, "NFD": unicodedata.normalize("NFD", FIRST), "NFKD": unicodedata.normalize("NFKD", FIRST)}


@pytest.mark.parametrize("spelled", SPELLED.values(), ids=SPELLED)
async def test_no_spelling_of_an_earlier_password_comes_back(served: Served, spelled: str) -> None:
    person, current = await served.person(), PASSWORD
    for new in (FIRST, "umbrella of the second day", "umbrella of another day"):
        person.keep((await person.ask("POST", CHANGE, json={"current_password": current, "new_password": new})).json())
        current = new
    for known in (spelled, current, PASSWORD):
        answer = await person.ask("POST", CHANGE, json={"current_password": current, "new_password": known})
        assert (answer.status_code, answer.json()["code"]) == (422, "password_unacceptable")
        assert "of this account" in answer.json()["detail"]


async def test_what_an_account_remembers_is_told_to_nobody_without_its_password(served: Served) -> None:
    person = await served.person()
    answer = await person.ask("POST", CHANGE, json={"current_password": "not the one that is", "new_password": PASSWORD})
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_credentials")
    judged = await served.http.post("/api/v1/auth/password/strength", json={"password": PASSWORD, "email": person.email})
    assert judged.json()["refusal"] is None
