"""A proof of one event is a file that somebody who has the log's key, and nothing else, can check."""

import json
import re
import subprocess
import sys
from base64 import b64encode
from pathlib import Path

import pytest
from bundles import Made, Signer, entry, hashes_of, history, root
from hypothesis import given
from hypothesis import strategies as st

from minos_sdk.audit import LogKey, NotAKey, NotProved, verify_proof
from minos_sdk.audit.__main__ import BROKEN, COULD_NOT, HOLDS, main

SIGNER = Signer()
KEYS = [LogKey.parse(SIGNER.line)]


def path(index: int, hashes: tuple[bytes, ...]) -> list[bytes]:
    """RFC 6962, 2.1.1, by the letter."""
    if len(hashes) < 2:
        return []
    half = 1 << (len(hashes) - 1).bit_length() - 1
    if index < half:
        return [*path(index, hashes[:half]), root(hashes[half:])]
    return [*path(index - half, hashes[half:]), root(hashes[:half])]


def proof(index: int, entries: list[bytes], signer: Signer = SIGNER, *, brings: bytes | None = None) -> bytes:
    hashes = hashes_of(entries)
    extra = b64encode(entries[index] if brings is None else brings).decode()
    lines = ["c2sp.org/tlog-proof@v1", f"extra {extra}", f"index {index}", *(b64encode(each).decode() for each in path(index, hashes))]
    return ("\n".join(lines) + "\n\n" + signer.note(len(entries), root(hashes))).encode()


@given(st.integers(1, 70), st.data())
def test_any_event_of_a_log_of_any_size_is_proved(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    proved = verify_proof(proof(index, history(size)), KEYS)
    assert (proved.position, proved.entry, proved.checkpoint.size) == (index + 1, history(size)[index], size)


@given(st.integers(2, 70), st.data())
def test_no_other_entry_place_size_or_path_is_proved(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    other = data.draw(st.integers(0, size - 1).filter(lambda at: at != index))
    genuine = proof(index, history(size))
    lines = genuine.split(b"\n")
    forgeries = [
        proof(index, history(size), brings=history(size)[other]),
        genuine.replace(f"\nindex {index}\n".encode(), f"\nindex {other}\n".encode()),
        genuine.replace(f"\nindex {index}\n".encode(), f"\nindex {index + size}\n".encode()),
        b"\n".join([*lines[:3], *lines[4:]]),
        b"\n".join([*lines[:3], lines[3], *lines[3:]]),
    ]
    for forged in forgeries:
        with pytest.raises(NotProved):
            verify_proof(forged, KEYS)


def test_a_proof_signed_by_another_key_proves_nothing() -> None:
    with pytest.raises(NotProved, match="not signed with a key that is known"):
        verify_proof(proof(3, history(9), Signer()), KEYS)


def test_a_signature_of_another_checkpoint_proves_nothing() -> None:
    """Of the very key, under its very name and id."""
    (of_another,) = re.findall(rb"\xe2\x80\x94 .*\n", proof(3, history(8)))
    with pytest.raises(NotProved, match="does not hold"):
        verify_proof(re.sub(rb"\xe2\x80\x94 .*\n", lambda _: of_another, proof(3, history(9))), KEYS)


def test_a_proof_of_another_log_signed_by_our_key_proves_nothing() -> None:
    with pytest.raises(NotProved):
        verify_proof(proof(3, history(9), Signer("other.example.com/log", SIGNER.key)), KEYS)


@pytest.mark.parametrize("raw", [b"", b"c2sp.org/tlog-proof@v1\n", b"c2sp.org/tlog-proof@v1\nindex 01\n\n", b"\xff" * 200])
def test_what_is_no_proof_is_said_to_be_none(raw: bytes) -> None:
    with pytest.raises(NotProved):
        verify_proof(raw, KEYS)


def test_a_key_is_a_name_its_id_and_32_bytes() -> None:
    other_id, other_name = SIGNER.line.replace(SIGNER.key_id.hex(), "00000000"), f"x{SIGNER.line}"
    for line in ("", "a+b", "name+00000000+AQ==", other_id, other_name):
        with pytest.raises(NotAKey):
            LogKey.parse(line)
    assert str(LogKey.parse(SIGNER.line)) == SIGNER.line


def test_the_command_says_what_was_proved(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "event.tlog-proof"
    file.write_bytes(proof(3, history(9)))
    assert main(["proof", str(file), "--key", SIGNER.line, "--json"]) == HOLDS
    assert json.loads(capsys.readouterr().out)["position"] == 4
    file.write_bytes(proof(3, history(9), Signer()))
    assert main(["proof", str(file), "--key", SIGNER.line]) == BROKEN
    assert main(["proof", str(file)]) == COULD_NOT


def test_the_command_verifies_a_bundle_by_itself(tmp_path: Path) -> None:
    folder = Made(history(300), SIGNER).write(tmp_path / "bundle")
    (tmp_path / "key").write_text(SIGNER.line)
    command = [sys.executable, "-W", "error", "-m", "minos_sdk.audit", "verify", str(folder), "--key", str(tmp_path / "key")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)  # noqa: S603 - our own words
    assert "HOLDS: nothing was changed, reordered or dropped up to size 300" in done.stdout
    other = Made([*history(299), entry("user-1", 9)], Signer()).write(tmp_path / "other")
    done = subprocess.run([*command[:-3], str(other), *command[-2:]], capture_output=True, text=True, timeout=60, check=False)  # noqa: S603
    assert (done.returncode, "WRONG  checkpoint_forged" in done.stdout) == (BROKEN, True)


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        (("--key", "no.key"), "--key: no.key is neither a file nor the line of a key"),
        (("--kept", "no.checkpoint"), "no.checkpoint: No such file"),
        (("--kept", __file__), "is no checkpoint: "),
    ],
)
def test_a_mistake_of_who_asks_is_not_a_finding(
    tmp_path: Path, argument: tuple[str, str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Made(history(9), SIGNER).write(tmp_path / "bundle")
    assert main(["verify", str(folder), *argument]) == COULD_NOT
    assert said in capsys.readouterr().err


def test_a_folder_that_is_no_bundle_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, content, said in (
        ("manifest.json", "{}", "manifest.json does not say format"),
        ("manifest.json", "[", "manifest.json is not of its form"),
        ("unfinished.json", "{}", "is not finished"),
    ):
        (tmp_path / name).write_text(content)
        assert main(["verify", str(tmp_path)]) == COULD_NOT
        assert said in capsys.readouterr().err


def test_a_walk_with_no_checkpoint_from_earlier_says_what_it_leaves_open(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = Made(history(9), SIGNER)
    folder = made.write(tmp_path / "bundle")
    assert main(["verify", str(folder), "--key", SIGNER.line]) == HOLDS
    assert "--kept" in capsys.readouterr().out
    assert main(["verify", str(folder), "--key", SIGNER.line, "--kept", str(folder / "checkpoint")]) == HOLDS
    assert "--kept" not in capsys.readouterr().out


def test_what_a_bundle_says_cannot_steer_a_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = Made([entry("user-\x1b[2J", 3)], SIGNER).write(tmp_path)
    assert main(["verify", str(folder)]) == BROKEN
    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.parametrize("noted", [1, 2, 3])
def test_the_key_is_good_for_every_epoch_of_its_log_and_for_no_other(noted: int) -> None:
    """A restore gives the log another name under the same key: who noted it down before is not told that nothing holds."""
    names = {1: SIGNER.origin, 2: f"{SIGNER.origin}/2", 3: f"{SIGNER.origin}/3"}
    known = [LogKey.parse(Signer(names[noted], SIGNER.key).line)]
    for name in names.values():
        assert verify_proof(proof(0, history(3), Signer(name, SIGNER.key)), known).checkpoint.origin == name
    for strange in (Signer(names[2]), Signer(f"{SIGNER.origin}/2/2", SIGNER.key), Signer("other.example.com/log", SIGNER.key)):
        with pytest.raises(NotProved, match="not signed"):
            verify_proof(proof(0, history(3), strange), known)
