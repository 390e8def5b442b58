"""The page on the format is right to the byte: what it shows is what the service writes, and what a verifier reads."""

import json
import re
from base64 import b64decode
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import pytest
from msgspec import Raw

from domain.codec import EVENT_TYPES, decode_event, encode_event
from domain.ids import CommandId, CorrelationId, EventId, SessionId, StreamName
from domain.leaf import Leaf, encode_leaf, micros
from domain.tree.checkpoint import Checkpoint
from domain.tree.note import read_key
from domain.tree.tiles import pack_entries, tile_path
from minos_sdk.audit import LogKey, NotProved, read_checkpoint, verify_proof
from minos_sdk.audit.bundle import tile_path as bundle_path
from minos_sdk.audit.entries import place_of
from tests.docs.naming import ROOT
from tests.domain import naive_tree

PAGE = (Path(ROOT) / "docs" / "reference" / "log-format.md").read_text()
JSON, HASHES, KEY, NOTE, PROOF = re.findall(r"^```(?:json|text)\n(.*?)^```", PAGE.partition("## Example")[2], re.DOTALL | re.MULTILINE)
ENTRIES = [line.encode() for line in JSON.splitlines()]


@pytest.mark.parametrize("entry", ENTRIES)
def test_an_entry_on_the_page_is_what_the_service_hashes_of_that_event(entry: bytes) -> None:
    said = json.loads(entry)
    event = decode_event(said["type"], json.dumps(said["payload"]).encode())
    leaf = Leaf(
        event_id=EventId(UUID(said["event_id"])), stream=StreamName(said["stream"]), version=said["version"], type=said["type"],
        recorded_at=said["recorded_at"], actor=said["actor"], session=said["session"] and SessionId(UUID(said["session"])),
        command=CommandId(UUID(said["command"])), correlation=CorrelationId(UUID(said["correlation"])), causation=None, key_id=None,
        payload=Raw(encode_event(event)),
    )  # fmt: skip
    assert encode_leaf(leaf) == entry
    assert place_of(entry) == (said["stream"], said["version"], said["type"])
    assert said["type"] in EVENT_TYPES
    assert abs(micros(datetime.fromisoformat(said["payload"]["at"]).astimezone(UTC)) - said["recorded_at"]) < 10**6


def test_every_member_is_in_the_table() -> None:
    listed = re.findall(r"^\| `([a-z_]+)` \|", PAGE.partition("## Tree")[0], re.MULTILINE)
    assert listed == sorted(json.loads(ENTRIES[0])) == sorted({"v"} | set(Leaf.__struct_fields__))


def test_the_hashes_and_the_root_are_those_of_the_entries() -> None:
    hashes = [sha256(b"\x00" + entry).hexdigest() for entry in ENTRIES]
    assert HASHES.split() == [*hashes, naive_tree.root(ENTRIES).hex()]


def test_the_tiles_begin_as_the_page_says() -> None:
    lengths = [f"{len(entry):04x}" for entry in ENTRIES]
    assert [f"`{length}`" in PAGE for length in lengths] == [True, True]
    assert f"the length {len(ENTRIES[0])} of" in PAGE
    packed = pack_entries(ENTRIES)
    assert packed[:2].hex() == lengths[0]
    assert packed[2 + len(ENTRIES[0]) :][:2].hex() == lengths[1]


@pytest.mark.parametrize(
    ("number", "width", "written"), [(1234067, 256, "x001/x234/067"), (1234067, 40, "x001/x234/067.p/40"), (0, 2, "000.p/2")]
)
def test_paths_are_written_as_the_page_says(number: int, width: int, written: str) -> None:
    assert f"tile/0/{written}`" in PAGE
    assert tile_path(0, number, width) == bundle_path("0", number, width) == f"tile/0/{written}"


def test_the_checkpoint_is_signed_with_the_key() -> None:
    found = read_checkpoint(NOTE.encode(), [LogKey.parse(KEY)])
    assert (found.size, found.root.hex()) == (2, HASHES.split()[2])
    assert NOTE.startswith(Checkpoint(origin=found.origin, size=2, root=found.root).text())
    assert str(LogKey.parse(KEY)) == read_key(KEY.strip()).line() == KEY.strip()


def test_the_proof_proves_the_first_entry_and_no_other() -> None:
    keys = [LogKey.parse(KEY)]
    assert verify_proof(PROOF.encode(), keys).entry == ENTRIES[0] == b64decode(PROOF.splitlines()[1].removeprefix("extra "))
    with pytest.raises(NotProved):
        verify_proof(PROOF.encode(), keys, entry=ENTRIES[1])
