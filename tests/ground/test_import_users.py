"""The file `minos users import` reads: whatever is in it, each line is told apart and none is held whole that is too long."""

import io
import json

from hypothesis import given
from hypothesis import strategies as st

from cli.import_users import AT_ONCE, LONGEST_LINE, MALFORMED, TOO_LONG, Line, lines_of, names, together


def line(email: str, username: str | None = None) -> bytes:
    return json.dumps({"email": email, "password_hash": "x", "username": username}).encode() + b"\n"


def read(content: bytes) -> list[Line]:
    return list(lines_of(io.BytesIO(content)))


class Measured(io.BytesIO):
    most = 0

    def readline(self, size: int | None = -1, /) -> bytes:
        got = super().readline(size)
        self.most = max(self.most, len(got))
        return got


def test_lines_are_numbered_as_in_the_file() -> None:
    found = read(b"\n" + line("a@b.org") + b"   \n" + b"{broken\n" + line("c@d.org").rstrip())
    assert [(each.number, each.fault) for each in found] == [(2, None), (4, MALFORMED), (5, None)]


def test_attack_a_line_without_end_is_refused_in_pieces_and_the_next_is_read() -> None:
    file = Measured(b'{"email": "' + b"x" * 5_000_000 + b"\n" + line("a@b.org"))
    assert [each.fault for each in lines_of(file)] == [TOO_LONG, None]
    assert file.most <= LONGEST_LINE + 1
    assert [each.fault for each in lines_of(Measured(b"x" * (LONGEST_LINE + 1)))] == [TOO_LONG]


def test_what_is_no_account_is_malformed() -> None:
    for content in (b"[]", b"null", b"7", b'{"email": "a@b.org"}', b"\xff\xfe", b'{"email": 1, "password_hash": "x"}', b"[" * 9_000):
        assert [each.fault for each in read(content)] == [MALFORMED]


def test_rights_cannot_be_imported() -> None:
    assert read(b'{"email": "a@b.org", "password_hash": "x", "roles": ["admin"]}')[0].fault == MALFORMED


@given(st.binary(max_size=300))
def test_any_bytes_are_lines(content: bytes) -> None:
    assert len(read(content)) <= content.count(b"\n") + 1


@given(st.lists(st.tuples(st.sampled_from("abcdefg"), st.sampled_from("xyz")), max_size=40))
def test_no_two_of_one_name_are_done_at_once_and_the_order_stays(people: list[tuple[str, str]]) -> None:
    lines = read(b"".join(line(f"{who}@Example.org", f"name-{called}") for who, called in people))
    groups = list(together(iter(lines)))
    assert [each for group in groups for each in group] == lines
    for group in groups:
        named = [name for each in group if each.user for name in names(each.user)]
        assert len(named) == len(set(named))
        assert len(group) <= AT_ONCE
