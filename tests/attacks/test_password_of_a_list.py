"""A password that is tried first because others had it: in another case or width, dressed up, or doubled. And one made to cost us."""

import pytest

from tests.api.conftest import PASSWORD, Served

REGISTER = "/api/v1/auth/register"
STRENGTH = "/api/v1/auth/password/strength"
WIDE = str.maketrans({n: n + 0xFEE0 for n in range(0x21, 0x7F)})


@pytest.mark.parametrize(
    "password",
    [
        "1q2w3e4r5t6y",
        "1Q2W3E4R5T6Y",
        "1q2w3e4r5t6y".translate(WIDE),
        "!1q2w3e4r5t6y!",
        "1q2w3e4r5t6y1q2w3e4r5t6y",
        "P455w0rd1234",
        "QWERTYuiop12",
    ],
)
async def test_a_listed_password_is_refused_however_it_is_written(served: Served, password: str) -> None:
    answer = await served.http.post(REGISTER, json={"email": "listed@example.org", "password": password})
    assert (answer.status_code, answer.json()["code"]) == (422, "password_unacceptable")
    assert "list" in answer.json()["detail"]
    assert password not in answer.text


async def test_a_password_that_is_soon_guessed_is_refused_with_advice(served: Served) -> None:
    answer = await served.http.post(REGISTER, json={"email": "weak@example.org", "password": "abcabc abcabc abcabc"})
    assert (answer.status_code, answer.json()["code"]) == (422, "password_unacceptable")
    assert "too easy to guess. Repeats" in answer.json()["detail"]


async def test_the_page_hears_what_registering_would_say(served: Served) -> None:
    good, bad, own = [
        (await served.http.post(STRENGTH, json=wish)).json()
        for wish in ({"password": PASSWORD}, {"password": "Password1234"}, {"password": "my lovelace phrase", "email": "lovelace@"})
    ]
    assert (good["refusal"], good["listed"], good["score"]) == (None, False, 4)
    assert (bad["listed"], bad["score"]) == (True, 0)
    assert "own address" in own["refusal"]


async def test_nobody_is_named_by_asking(served: Served) -> None:
    answer = await served.http.post(STRENGTH, json={"password": PASSWORD, "email": "root@example.org"})
    assert answer.headers["cache-control"] == "no-store"
    assert "minos-stream-version" not in answer.headers


@pytest.mark.parametrize("password", ["4@8({[<369&#!/|0$5+7%2" * 46, "\ufdfa" * 1_024, "1.2.1999/" * 113, "a" * 1_024])
async def test_a_password_made_to_be_hard_to_judge_is_judged(served: Served, password: str) -> None:
    """What it may cost is bounded: see `strength.CONSIDERED`."""
    assert (await served.http.post(STRENGTH, json={"password": password})).status_code == 200
