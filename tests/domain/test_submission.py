"""A checkpoint as a witness is handed it (C2SP tlog-witness)."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.note_keys import WitnessKey
from domain.tree.checkpoint import Checkpoint
from domain.tree.note import BadNote, read_note, write_note
from domain.tree.submission import BadSubmission, read_answer, read_size, read_submission, with_signatures, write_answer, write_submission

WITNESS = WitnessKey.new("example.org/w")
CHECKPOINT = Checkpoint(origin="example.com/log", size=9, root=bytes(32))
NOTE = write_note(CHECKPOINT.text(), [WITNESS.cosign(CHECKPOINT.text(), at=1)])
GOOD = write_submission(4, [bytes(32)], NOTE).decode()

# The example of the specification.
EXAMPLE = """old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

\N{EM DASH} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
"""


def test_the_example_of_the_specification_is_read_and_written() -> None:
    read = read_submission(EXAMPLE.encode())
    assert (read.old, len(read.path), read.checkpoint.size) == (20852014, 4, 20852163)
    assert write_submission(read.old, read.path, write_note(read.note.text, read.note.signatures)).decode() == EXAMPLE


@given(old=st.integers(0, 10**18), path=st.lists(st.binary(min_size=32, max_size=32), max_size=63))
def test_what_is_submitted_is_what_is_read(old: int, path: list[bytes]) -> None:
    read = read_submission(write_submission(old, path, NOTE))
    assert (read.old, list(read.path), read.note, read.checkpoint) == (old, path, read_note(NOTE), CHECKPOINT)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        NOTE.encode(),
        b"old 0\n",
        GOOD.replace("old 4", "old 04").encode(),
        GOOD.replace("old 4", "old -4").encode(),
        GOOD.replace("old 4", f"old {2**63}").encode(),
        GOOD.replace("\n9\n", f"\n{2**63}\n").encode(),
        GOOD.replace("old 4", "old  4").encode(),
        GOOD.replace("old 4", "OLD 4").encode(),
        GOOD.replace("old 4\n", "").encode(),
        GOOD.replace("A=", "A").encode(),
        GOOD.replace("A=\n\nexample", "B=\n\nexample").encode(),
        GOOD.replace("A=\n\nexample", "A=\n \nexample").encode(),
        GOOD.removesuffix("\n").encode(),
        GOOD.replace("\n", "\r\n").encode(),
        GOOD.encode() + b"\xff",
        write_submission(4, [bytes(31)], NOTE),
        write_submission(4, [bytes(32)] * 64, NOTE),
        write_submission(4, [], NOTE) + b"x" * 131_072,
    ],
)
def test_what_has_not_the_form_is_refused(raw: bytes) -> None:
    with pytest.raises(BadSubmission):
        read_submission(raw)


@given(raw=st.binary(max_size=300))
def test_whatever_is_sent_it_is_read_or_refused(raw: bytes) -> None:
    for sent in (raw, b"old 0\n\n" + raw, GOOD.encode() + raw):
        with contextlib.suppress(BadSubmission):
            read_submission(sent)


@pytest.mark.parametrize(("body", "size"), [("0\n", 0), ("20852014\n", 20852014), ("1", None), ("01\n", None), ("-1\n", None), ("", None)])
def test_where_a_witness_is_it_says_as_a_number_alone(body: str, size: int | None) -> None:
    assert read_size(body) == size


def test_signatures_of_an_answer_come_below_those_of_the_note_and_each_once() -> None:
    other = WitnessKey.new("example.org/other").cosign(CHECKPOINT.text(), at=2)
    answer = read_answer(write_answer([*read_note(NOTE).signatures, other]))
    both = read_note(with_signatures(read_note(NOTE), answer))
    assert both.signatures == (*read_note(NOTE).signatures, other)
    with pytest.raises(BadNote):
        read_answer("not found")
