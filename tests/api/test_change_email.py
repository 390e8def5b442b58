"""Changing the address over HTTP: a fresh proof, the same answer for every address, and links that are none."""

from tests.api.conftest import Served, aged


async def test_the_answer_is_the_same_for_taken_and_free_addresses(served: Served) -> None:
    person, other = await served.person(), await served.person(sign_in=False)
    answers = [await person.ask("POST", "/me/email", json={"email": email}) for email in (other.email, f"not-{other.email}")]
    assert [(answer.status_code, sorted(answer.json())) for answer in answers] == [(202, ["registration", "status"])] * 2
    assert len({len(answer.content) for answer in answers}) == 1
    assert (await person.ask("GET", "/me")).json()["email"] == person.email


async def test_an_old_proof_changes_no_address(served: Served) -> None:
    person = await served.person()
    person.access = await aged(served, person, 1_000)
    answer = await person.ask("POST", "/me/email", json={"email": "elsewhere@example.org"})
    assert (answer.status_code, answer.json()["code"]) == (401, "reauthentication_required")


async def test_a_made_up_link_takes_nothing_back(served: Served) -> None:
    wish = {"token": "mlt_" + "A" * 100, "new_password": "mine after all, it is"}
    for path, body in (("undo", wish), ("undo/check", {"token": wish["token"]})):
        answer = await served.http.post(f"/api/v1/auth/email/{path}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (400, "mail_token_invalid")
