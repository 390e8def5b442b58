"""Stream versions and cursors: sealed, and bound to whom and what they were given for (threats.md 15)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.opaque_tokens import LONGEST, Cursors, StreamVersions
from adapters.secrets_store import KeyVersions, Purpose, random_secrets
from domain.errors import CursorInvalid, StreamVersionInvalid
from domain.ids import StreamName

SECRETS = random_secrets()
VERSIONS, CURSORS = StreamVersions(SECRETS), Cursors(SECRETS)
STREAM = StreamName("user-01a200ae-627c-7f12-b519-6ad15a5dd23f")
LIST = {"caller": "user:1", "route": "/api/v1/users", "filtered_by": "status=active"}


@given(st.text("abcdef-0123456789", max_size=60), st.integers(0, 2**31 - 1), st.text(max_size=30))
def test_a_stream_version_reads_back_for_its_caller(suffix: str, version: int, caller: str) -> None:
    stream = StreamName(f"user-{suffix}")
    assert VERSIONS.read(caller, VERSIONS.make(caller, stream, version)) == (stream, version)


def test_threat_15_a_stream_version_is_worth_nothing_to_another_caller() -> None:
    made = VERSIONS.make("user:1", STREAM, 7)
    for caller in ("user:2", "user:", "", "user:1 ", "anonymous"):
        with pytest.raises(StreamVersionInvalid):
            VERSIONS.read(caller, made)


def test_threat_15_a_stream_version_tells_nothing() -> None:
    made = VERSIONS.make("user:1", STREAM, 7)
    assert "user" not in made
    assert STREAM.encode() not in made.encode()


def test_threat_15_no_byte_of_a_stream_version_can_be_changed() -> None:
    made = VERSIONS.make("user:1", STREAM, 7)
    for place, letter in enumerate(made):
        for other in set("A0_-.= ") - {letter}:
            with pytest.raises(StreamVersionInvalid):
                VERSIONS.read("user:1", made[:place] + other + made[place + 1 :])


@given(st.binary(max_size=80), st.text(max_size=30))
def test_a_cursor_reads_back_where_it_was_given(after: bytes, filtered_by: str) -> None:
    place = {**LIST, "filtered_by": filtered_by}
    assert CURSORS.read(CURSORS.make(after, **place), **place) == after


@pytest.mark.parametrize(
    "changed", [{"caller": "user:2"}, {"route": "/api/v1/roles"}, {"filtered_by": ""}, {"filtered_by": "status=active "}]
)
def test_threat_15_a_cursor_is_none_for_another_caller_route_or_filter(changed: dict[str, str]) -> None:
    made = CURSORS.make(b"after", **LIST)
    with pytest.raises(CursorInvalid):
        CURSORS.read(made, **{**LIST, **changed})


def test_parts_that_run_together_are_not_taken_for_one_another() -> None:
    made = CURSORS.make(b"x", caller="ab", route="c", filtered_by="")
    with pytest.raises(CursorInvalid):
        CURSORS.read(made, caller="a", route="bc", filtered_by="")


def test_a_stream_version_is_no_cursor() -> None:
    with pytest.raises(CursorInvalid):
        CURSORS.read(VERSIONS.make("user:1", STREAM, 7), caller="user:1", route="", filtered_by="")


@given(st.text(max_size=150))
def test_whatever_is_sent_is_refused_and_never_an_error(text: str) -> None:
    with pytest.raises(CursorInvalid):
        CURSORS.read(text, **LIST)
    with pytest.raises(StreamVersionInvalid):
        VERSIONS.read("user:1", text)


def test_what_is_too_long_is_refused_unread() -> None:
    with pytest.raises(CursorInvalid):
        CURSORS.read("A" * (LONGEST + 1), **LIST)


def test_old_key_versions_go_on_reading() -> None:
    secrets = random_secrets()
    old = StreamVersions(secrets).make("user:1", STREAM, 7)
    kept = secrets.of(Purpose.STREAM_VERSION).keys
    secrets.replace({Purpose.STREAM_VERSION: KeyVersions(2, {**kept, 2: b"2" * 64})})
    assert StreamVersions(secrets).read("user:1", old) == (STREAM, 7)
    assert StreamVersions(secrets).make("user:1", STREAM, 7) != old
