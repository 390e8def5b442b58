"""Somebody writes a page into their name, or a device's, and has whoever opens the export run it."""

import re

import pytest

from api.export_page import POLICY, STYLE, prefers_page
from tests.api.conftest import Person, Served

SCRIPT = '<script>alert(1)</script><img src=x onerror="alert(1)">\'"&amp;'


async def page(person: Person, accept: str = "text/html") -> str:
    answer = await person.ask("GET", "/me/export", headers={"Accept": accept})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert answer.headers["content-security-policy"] == POLICY
    assert (answer.headers["content-disposition"], answer.headers["cache-control"]) == ('attachment; filename="account.html"', "no-store")
    return answer.text


async def test_attack_script_in_a_name_or_a_devices(served: Served) -> None:
    person = await served.person()
    await person.ask("PATCH", "/me", json={"name": SCRIPT})
    await person.ask("PATCH", "/me/attributes", json={"attributes": {"motto": SCRIPT}})
    await person.sign_in(device_name=SCRIPT)
    await served.project()
    text = await page(person)
    assert text.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 3
    tags = set(re.findall(r"<(\w+)", text))
    assert tags <= {"html", "head", "meta", "title", "style", "body", "h1", "h2", "table", "tr", "td", "th"}
    assert not re.search(r"<[^>]*\s(on\w+|src|href|style)=", text)


async def test_the_page_says_what_the_json_says_and_nothing_of_others(served: Served) -> None:
    person, other = await served.person(), await served.person()
    await served.project()
    text = await page(person, "text/html,application/xhtml+xml,*/*;q=0.8")
    assert person.email in text
    assert person.session_id in text
    assert "user.registered.v1" in text
    assert other.user_id not in text
    assert STYLE in text


@pytest.mark.parametrize(
    ("accept", "page"),
    [
        ("", False),
        ("*/*", False),
        ("application/json", False),
        ("text/html", True),
        ("text/html;q=0", False),
        ("text/html;q=x", False),
        ("application/json, text/html;q=0.9", False),
        ("TEXT/HTML ; Q=0.5", True),
        (";;,,=", False),
    ],
)
def test_a_page_is_what_asks_for_one(accept: str, page: bool) -> None:
    assert prefers_page(accept) is page
