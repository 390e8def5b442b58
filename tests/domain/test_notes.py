"""Texts of the tree that others read: notes, checkpoints, proofs and names of tiles."""

import base64
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.tree.checkpoint import BadCheckpoint, Checkpoint, Proof, log_origin, read_checkpoint, read_proof, write_proof
from domain.tree.note import ED25519, BadNote, KeyName, Note, Signature, VerifierKey, read_key, read_note, write_note
from domain.tree.tiles import pack_entries, read_tile_number, tile_number, tile_path, unpack_entries

KEY = VerifierKey(name="example.com/log", kind=ED25519, public=bytes(range(32)))
SIGNATURE = Signature(by=KEY.key_name, value=b"s" * 64)
CHECKPOINT = Checkpoint(origin="example.com/log", size=20852163, root=sha256(b"root").digest())
NOTE = write_note(CHECKPOINT.text(), [SIGNATURE])

# The example of golang.org/x/mod/sumdb/note, which anybody can look up.
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETERS_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "\N{EM DASH} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_a_note_of_others_is_read() -> None:
    note, key = read_note(PETERS_NOTE), read_key(PETER)
    signature = note.by(key)
    assert signature is not None
    assert len(signature.value) == 64
    assert note.text.endswith("problem is.\n")
    assert key.line() == PETER
    assert write_note(note.text, note.signatures) == PETERS_NOTE


def test_a_note_is_what_was_written() -> None:
    note = read_note(NOTE)
    assert note == Note(text=CHECKPOINT.text(), signatures=(SIGNATURE,))
    assert note.by(KEY) == SIGNATURE
    assert note.by(VerifierKey(name="example.com/log", kind=ED25519, public=bytes(32))) is None
    assert read_checkpoint(note.text) == CHECKPOINT
    assert read_key(KEY.line()) == KEY


def test_a_text_may_hold_empty_lines() -> None:
    assert read_note(write_note("a\n\nb\n", [SIGNATURE])).text == "a\n\nb\n"


@pytest.mark.parametrize(
    "written",
    [
        "",
        "text\n",
        "text\n\n",
        CHECKPOINT.text(),
        NOTE.removesuffix("\n"),
        NOTE.replace("\N{EM DASH}", "-"),
        NOTE + "\n",
        NOTE + "\N{EM DASH} name\n",
        NOTE + "\N{EM DASH} name !!!!\n",
        NOTE + f"\N{EM DASH} na+me {base64.b64encode(b'1234s').decode()}\n",
        NOTE + f"\N{EM DASH} name {base64.b64encode(b'1234').decode()}\n",
        "te\x00xt\n\n" + NOTE.rpartition("\n\n")[2],
        "text\n\n" + 101 * NOTE.rpartition("\n\n")[2],
    ],
)
def test_what_is_no_note_is_refused(written: str) -> None:
    with pytest.raises(BadNote):
        read_note(written)


@pytest.mark.parametrize(
    "line",
    ["", "name", "name+12345678", PETER.replace("c74f20a3", "c74f20a4"), PETER.replace("Peter", "Pete "), PETER[:-4], "+c74f20a3+ARpc2QcU"],
)
def test_what_is_no_key_is_refused(line: str) -> None:
    with pytest.raises(BadNote):
        read_key(line)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "origin\n5\n",
        CHECKPOINT.text().replace("20852163", "020852163"),
        CHECKPOINT.text().replace("20852163", "-1"),
        CHECKPOINT.text().replace("example.com/log", ""),
        CHECKPOINT.text() + "\nmore\n",
        CHECKPOINT.text().removesuffix("\n"),
        CHECKPOINT.text()[:-3] + "\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(BadCheckpoint):
        read_checkpoint(text)


def test_further_lines_of_a_checkpoint_are_left_to_others() -> None:
    assert read_checkpoint(CHECKPOINT.text() + "more\n") == CHECKPOINT


def test_each_epoch_of_the_log_is_a_log_of_its_own() -> None:
    assert log_origin("https://id.example.org", 1) == "id.example.org/log"
    assert log_origin("https://id.example.org/auth", 3) == "id.example.org/auth/log/3"
    key = VerifierKey(name=log_origin("https://id.example.org/a+b", 1), kind=ED25519, public=bytes(32))
    assert read_key(key.line()) == key


def test_a_proof_is_what_was_written() -> None:
    proof = Proof(index=73894, path=(bytes(32), bytes(range(32))), note=NOTE)
    assert write_proof(proof).startswith("c2sp.org/tlog-proof@v1\nindex 73894\nAAAA")
    assert read_proof(write_proof(proof)) == proof
    assert read_proof(write_proof(proof).replace("index", "extra ZXh0cmE=\nindex", 1)) == proof
    lone = Proof(index=0, path=(), note=NOTE)
    assert read_proof(write_proof(lone)) == lone


@pytest.mark.parametrize(
    ("old", "new"), [("@v1", "@v2"), ("index ", "index 0"), ("index", "leaf"), ("AAA=", "AAB="), ("AAA=", "AA="), ("\N{EM DASH}", "-")]
)
def test_what_is_no_proof_is_refused(old: str, new: str) -> None:
    with pytest.raises(BadCheckpoint):
        read_proof(write_proof(Proof(index=7, path=(bytes(32),), note=NOTE)).replace(old, new))


@pytest.mark.parametrize(
    ("number", "written"), [(0, "000"), (999, "999"), (1000, "x001/000"), (1234067, "x001/x234/067"), (10**9, "x001/x000/x000/000")]
)
def test_a_tile_s_number_is_written_in_groups_of_three(number: int, written: str) -> None:
    assert tile_number(number) == written
    assert read_tile_number(written) == (number, 256)
    assert read_tile_number(f"{written}.p/7") == (number, 7)
    assert tile_path(3, number, 7) == f"tile/3/{written}.p/7"
    assert tile_path("entries", number) == f"tile/entries/{written}"


@given(st.integers(0, 10**17), st.integers(1, 256))
def test_a_tile_s_name_is_read_as_it_was_written(number: int, width: int) -> None:
    assert read_tile_number(tile_path(0, number, width).removeprefix("tile/0/")) == (number, width)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "1",
        "0001",
        "x000/001",
        "001/002",
        "x1/002",
        "x001",
        "001.p/0",
        "001.p/256",
        "001.p/07",
        "001.p/",
        "001.p",
        "../001",
        "٠٠١",
        "x001/002/",
    ],
)
def test_a_tile_has_one_name_only(written: str) -> None:
    assert read_tile_number(written) is None


@given(st.lists(st.binary(max_size=300)))
def test_entries_are_taken_out_as_they_were_put_in(entries: list[bytes]) -> None:
    assert list(unpack_entries(pack_entries(entries))) == entries


@pytest.mark.parametrize("packed", [b"\x00", b"\x00\x02a", b"\x00\x01a\x00"])
def test_entries_that_end_in_the_middle_are_noticed(packed: bytes) -> None:
    with pytest.raises(ValueError, match="middle"):
        list(unpack_entries(packed))


def test_an_entry_of_65535_bytes_fits() -> None:
    assert list(unpack_entries(pack_entries([b"a" * 65_535]))) == [b"a" * 65_535]
    with pytest.raises(OverflowError):
        pack_entries([b"a" * 65_536])


def test_a_key_s_name_tells_key_and_name_apart() -> None:
    names = {
        KEY.key_name,
        VerifierKey(name="a", kind=1, public=bytes(32)).key_name,
        VerifierKey(name="a", kind=4, public=bytes(32)).key_name,
    }
    assert len(names) == 3
    assert isinstance(KEY.key_name, KeyName)
