"""What is wrong with a field is told together with what would be right, and never with what was sent."""

import json
from enum import StrEnum
from typing import Annotated, Any

import pytest
from msgspec import Meta, Struct

from api.bodies import decode
from api.faults import fault
from api.refusals import ValidationFailed
from commands.register_user import RegisterUser
from tests.api.conftest import Person


class Tea(StrEnum):
    GREEN = "green"
    BLACK = "black"


class Cup(Struct):
    tea: Tea


class Order(Struct):
    tea: Tea | None = None
    teas: tuple[Tea, ...] = ()
    by_guest: dict[str, Tea] = {}
    cups: tuple[Cup, ...] = ()
    name: Annotated[str, Meta(min_length=3, max_length=12)] = "tea"
    slug: Annotated[str, Meta(pattern=r"^[a-z]+$(?!\n)")] = "tea"
    guests: Annotated[tuple[str, ...], Meta(min_length=1, max_length=2)] = ("ada",)
    spoons: Annotated[int, Meta(ge=1, le=5)] | None = 1


@pytest.mark.parametrize(
    ("body", "pointer", "code", "told"),
    [
        ({"tea": "milk"}, "/tea", "not_a_choice", "One of: green, black."),
        ({"teas": ["green", "milk"]}, "/teas/1", "not_a_choice", "One of: green, black."),
        ({"by_guest": {"ada": "milk"}}, "/by_guest/...", "not_a_choice", "One of: green, black."),
        ({"cups": [{"tea": "milk"}]}, "/cups/0/tea", "not_a_choice", "One of: green, black."),
        ({"name": "te"}, "/name", "too_short", "At least 3 characters."),
        ({"name": "t" * 13}, "/name", "too_long", "At most 12 characters."),
        ({"guests": []}, "/guests", "too_short", "At least 1 item."),
        ({"guests": ["a", "b", "c"]}, "/guests", "too_long", "At most 2 items."),
        ({"spoons": 0}, "/spoons", "out_of_range", "At least 1."),
        ({"spoons": 6}, "/spoons", "out_of_range", "At most 5."),
        ({"spoons": "6"}, "/spoons", "wrong_type", "Of another type than asked for: integer or null."),
        ({"slug": "T"}, "/slug", "pattern", "Not of the form asked for: ^[a-z]+$"),
    ],
)
def test_a_fault_tells_what_would_be_right(body: dict[str, Any], pointer: str, code: str, told: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        decode(json.dumps(body).encode(), Order)
    (found,) = refused.value.faults
    assert (found.pointer, found.code, found.detail) == (pointer, code, told)


@pytest.mark.parametrize(
    "sent",
    ["hunter2", "x of length >= 2", "Expected `str` of length >= 77", "' - at `$.hunter2`", "x' - at `$.hunter2` - at `", "matching regex"],
)
@pytest.mark.parametrize("field", ["tea", "teas"])
def test_attack_a_value_in_the_words_of_a_fault(field: str, sent: str) -> None:
    """A choice that is none is repeated by the decoder's own words: neither it nor what it says of itself is told."""
    with pytest.raises(ValidationFailed) as refused:
        decode(json.dumps({field: sent if field == "tea" else [sent]}).encode(), Order)
    (found,) = refused.value.faults
    assert (found.pointer, found.code) == ("/tea" if field == "tea" else "/teas/0", "not_a_choice")
    assert found.detail == "One of: green, black."


def test_where_nothing_is_known_of_what_would_be_right_nothing_is_told() -> None:
    assert fault("Invalid enum value 'hunter2'", Any, "?tea").detail == "Not one of the values accepted."


def test_a_password_that_is_too_long_is_told_how_long_it_may_be() -> None:
    with pytest.raises(ValidationFailed) as refused:
        decode(json.dumps({"email": "a@example.org", "password": "hunter2" * 1_000}).encode(), RegisterUser)
    (found,) = refused.value.faults
    assert found.detail.startswith("At most ")
    assert "hunter2" not in str(refused.value.faults)


async def test_parameters_of_an_address_are_told_alike(admin: Person) -> None:
    answer = await admin.ask("GET", "/invitations?status=lost&limit=500")
    assert answer.status_code == 422
    told = {each["pointer"]: (each["code"], each["detail"]) for each in answer.json()["errors"]}
    assert told == {
        "?status": ("not_a_choice", "One of: open, accepted, revoked."),
        "?limit": ("out_of_range", "At most 200."),
    }


async def test_a_parameter_of_another_form_is_told_the_form(admin: Person) -> None:
    boolean = await admin.ask("GET", "/users?verified=maybe")
    assert [(each["pointer"], each["detail"]) for each in boolean.json()["errors"]] == [
        ("?verified", "Of another type than asked for: boolean.")
    ]
    answer = await admin.ask("GET", "/users?role=Not%20One")
    (found,) = answer.json()["errors"]
    assert (found["pointer"], found["code"]) == ("?role", "pattern")
    assert found["detail"] == "Not of the form asked for: ^[a-z0-9][a-z0-9_-]{0,63}$"


async def test_a_body_of_a_route_is_told_what_it_may_say(admin: Person) -> None:
    answer = await admin.ask("PUT", "/factor-policy/roles/admin", json={"requirement": "lots"})
    assert answer.status_code == 422
    assert [(f["pointer"], f["detail"]) for f in answer.json()["errors"]] == [("/requirement", "One of: none, any, phishing_resistant.")]
