"""Pages with a field for a password hide what is typed and leave password managers alone."""

import pytest

from tests.api.conftest import Served

PAGES = ["/account/verify", "/account/reset"]


@pytest.mark.parametrize("page", PAGES)
async def test_a_password_is_hidden_as_it_is_typed(served: Served, page: str) -> None:
    html = (await served.http.get(page)).text
    assert html.count("<input") == html.count('type="password"') + html.count('autocomplete="one-time-code"')
    assert '<input name="password" type="password" autocomplete="new-password" required>' in html


@pytest.mark.parametrize("page", PAGES)
async def test_pasting_and_password_managers_are_left_alone(served: Served, page: str) -> None:
    html, script = (await served.http.get(page)).text, (await served.http.get("/account/page.js")).text
    assert 'autocomplete="off"' not in html
    assert "maxlength" not in html
    for word in ("paste", "keydown", "keypress", "beforeinput", "contextmenu"):
        assert word not in html + script


async def test_who_was_given_an_account_proves_the_address_and_chooses_no_password(served: Served) -> None:
    assert "<input" not in (await served.http.get("/account/confirm")).text


async def test_the_page_of_a_reset_asks_what_has_to_be_shown_and_has_a_field_for_it(served: Served) -> None:
    html = (await served.http.get("/account/reset")).text
    assert 'data-check="/api/v1/auth/password/reset/check"' in html
    assert '<input name="code" autocomplete="one-time-code">' in html
    assert 'data-check=""' in (await served.http.get("/account/verify")).text
