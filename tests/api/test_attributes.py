"""Attributes over HTTP."""

from tests.api.conftest import Person, Served


async def test_an_owner_and_an_administrator_write_and_read_them(served: Served, admin: Person) -> None:
    person = await served.person()
    answer = await person.ask("PATCH", "/me/attributes", json={"attributes": {"motto": "onwards"}})
    assert answer.status_code == 200, answer.text
    assert answer.json()["attributes"] == {"motto": "onwards"}
    answer = await admin.ask("PATCH", f"/users/{person.user_id}/attributes", json={"attributes": {"badges": ["a", "b"]}})
    assert answer.json()["attributes"] == {"motto": "onwards", "badges": ["a", "b"]}
    assert (await person.ask("GET", "/me")).json()["attributes"] == {"motto": "onwards", "badges": ["a", "b"]}


async def test_what_may_not_be_is_refused_and_says_where(served: Served) -> None:
    person = await served.person()
    for wish, status, code in (
        ({"role": "admin"}, 422, "attribute_unknown"),
        ({"motto": "x" * 99}, 422, "attribute_invalid"),
        ({"badges": ["a"]}, 403, "attribute_protected"),
    ):
        answer = await person.ask("PATCH", "/me/attributes", json={"attributes": wish})
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer.json()["errors"][0]["pointer"] == f"/attributes/{next(iter(wish))}"
        assert answer.json()["detail"].startswith(f"{next(iter(wish))}: ")
    for body in ({"attributes": {"motto": 1.5}}, {"attributes": {"motto": {}}}, {"attributes": {"Motto": "x"}}, {"motto": "x"}, {}):
        assert (await person.ask("PATCH", "/me/attributes", json=body)).status_code == 422, body
