"""What a witness signs, and how it is read back (C2SP tlog-cosignature)."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from adapters.note_keys import WitnessKey, verifies
from domain.tree.cosignature import Forged, cosignature, cosigned_at, cosigned_message, is_signed, read_cosignature
from domain.tree.note import ED25519, Note, Signature, VerifierKey, read_note, write_note

TEXT = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
WITNESS = WitnessKey("witness.example.com/w1", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))


def test_the_signed_message_is_the_one_of_the_specification() -> None:
    assert cosigned_message(TEXT, 1679315147).decode() == f"cosignature/v1\ntime 1679315147\n{TEXT}"


def test_a_line_of_the_specification_is_read() -> None:
    line = "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA=="
    note = read_note(f"{TEXT}\n\N{EM DASH} witness.example.com/w1 {line}\n")
    said = read_cosignature(note.signatures[0])
    assert said is not None
    assert said.at == 1679315147
    assert said.value == base64.b64decode(line)[12:]


@given(at=st.integers(0, 2**63 - 1))
def test_what_a_witness_cosigned_holds_for_its_time_and_text_alone(at: int) -> None:
    line = WITNESS.cosign(TEXT, at=at)
    note = read_note(write_note(TEXT, [line]))
    assert cosigned_at(note, WITNESS.public, verifies) == at
    said = read_cosignature(line)
    assert said is not None
    other = cosignature(line.by, at ^ 1, said.value)
    for forged in (Note(text=TEXT, signatures=(other,)), Note(text=f"{TEXT}more\n", signatures=(line,))):
        with pytest.raises(Forged):
            cosigned_at(forged, WITNESS.public, verifies)


def test_the_newest_of_several_counts_and_a_forged_one_spoils_them_all() -> None:
    first, second = WITNESS.cosign(TEXT, at=5), WITNESS.cosign(TEXT, at=4)
    assert cosigned_at(Note(text=TEXT, signatures=(first, second)), WITNESS.public, verifies) == 5
    forged = Signature(by=first.by, value=bytes(72))
    with pytest.raises(Forged):
        cosigned_at(Note(text=TEXT, signatures=(first, forged)), WITNESS.public, verifies)


def test_a_stranger_of_the_same_name_is_nobody() -> None:
    stranger = WitnessKey.new(WITNESS.public.name)
    assert cosigned_at(Note(text=TEXT, signatures=(stranger.cosign(TEXT, at=1),)), WITNESS.public, verifies) is None


@pytest.mark.parametrize("value", [b"", bytes(71), bytes(73), b"\x80" + bytes(71)], ids=["empty", "short", "long", "a time beyond all"])
def test_what_has_not_the_form_is_no_cosignature(value: bytes) -> None:
    assert read_cosignature(Signature(by=WITNESS.public.key_name, value=value)) is None


def test_a_cosignature_is_no_signature_of_a_log() -> None:
    """One Ed25519 key under two kinds is two keys: what it signed as one does not hold as the other."""
    log = VerifierKey(name=WITNESS.public.name, kind=ED25519, public=WITNESS.public.public)
    line = WITNESS.cosign(TEXT, at=1)
    assert not is_signed(Note(text=TEXT, signatures=(line,)), log, verifies)
    with pytest.raises(Forged):
        is_signed(Note(text=TEXT, signatures=(Signature(by=log.key_name, value=line.value),)), log, verifies)
