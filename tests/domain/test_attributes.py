"""What an account may say of its person is registered: name, kind, length, choice, and who writes it."""

import pytest

from domain import attributes
from domain.attributes import Kind, Rule, Value, Writer, changed
from domain.errors import AttributeInvalid, AttributeProtected, NoSuchAttribute
from tests.domain.examples import ADA, NAME, NOW, OTHER_NAME
from tests.domain.given import given

SCHEMA = {
    "motto": Rule(kind=Kind.STRING, writable_by=Writer.OWNER, max_length=10),
    "team": Rule(kind=Kind.STRING, choices=("red", "blue")),
    "level": Rule(kind=Kind.INTEGER),
    "remote": Rule(kind=Kind.BOOLEAN),
    "tags": Rule(kind=Kind.STRINGS, max_length=5),
}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("motto", "1234567890"),
        ("team", "red"),
        ("level", 0),
        ("level", -(2**53) + 1),
        ("remote", False),
        ("tags", []),
        ("tags", ["é"] * 32),
    ],
)
def test_what_fits_is_kept(name: str, value: Value) -> None:
    assert changed({}, {name: value}, SCHEMA, by=Writer.ADMINISTRATOR) == {name: value}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("motto", "12345678901"), ("motto", ""), ("motto", 7), ("motto", "a\nb"), ("motto", "a\u202eb"), ("motto", ["a"]),
        ("team", "green"), ("level", True), ("level", 2**53), ("level", "1"), ("remote", 1), ("remote", "true"),
        ("tags", "a"), ("tags", ["a"] * 33), ("tags", ["abcdef"]), ("tags", [""]),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(name: str, value: Value) -> None:
    with pytest.raises(AttributeInvalid):
        changed({}, {name: value}, SCHEMA, by=Writer.ADMINISTRATOR)


def test_an_owner_writes_what_is_theirs_and_nothing_else() -> None:
    assert changed({"team": "red"}, {"motto": "on"}, SCHEMA, by=Writer.OWNER) == {"team": "red", "motto": "on"}
    for value in ("blue", None):
        with pytest.raises(AttributeProtected):
            changed({"team": "red"}, {"team": value}, SCHEMA, by=Writer.OWNER)


def test_nobody_writes_what_is_not_registered() -> None:
    for value in ("x", None):
        with pytest.raises(NoSuchAttribute):
            changed({}, {"role": value}, SCHEMA, by=Writer.ADMINISTRATOR)


def test_null_takes_away_and_what_is_not_named_stays() -> None:
    assert changed({"level": 3, "remote": True}, {"level": None}, SCHEMA, by=Writer.ADMINISTRATOR) == {"remote": True}


def test_what_is_not_registered_any_more_is_kept_until_it_is_again() -> None:
    assert changed({"old": "x"}, {"level": 1}, SCHEMA, by=Writer.ADMINISTRATOR) == {"old": "x", "level": 1}


def test_setting_what_is_there_changes_nothing() -> None:
    first = attributes.AttributesSet(user_id=ADA, attributes=NAME, at=NOW)
    given(attributes.decider, first).when(attributes.replace, user_id=ADA, attributes=NAME, at=NOW).then()
    second = attributes.AttributesSet(user_id=ADA, attributes=OTHER_NAME, at=NOW)
    given(attributes.decider, first).when(attributes.replace, user_id=ADA, attributes=OTHER_NAME, at=NOW).then(second)
