"""An event that was ever stored is read, and hashes, as it did on its first day."""

from pathlib import Path

import msgspec
import pytest

from domain.codec import EVENT_TYPES, decode_event, encode_event
from domain.leaf import Leaf, encode_leaf
from tests.domain.test_laws import canonical
from tests.golden.examples import BY_TAG, EXAMPLES, leaf_of
from tests.golden.write import FOLDER, golden, write

TAGS = sorted(BY_TAG)


def kept(name: str) -> bytes:
    return (FOLDER / name).read_bytes()


def test_every_tag_that_is_written_has_golden_bytes() -> None:
    assert set(EVENT_TYPES) <= {path.name.removesuffix(".json") for path in FOLDER.glob("*.v*.json")}
    assert set(EVENT_TYPES) == set(BY_TAG)
    assert len(EXAMPLES) == len(BY_TAG)


@pytest.mark.parametrize("tag", TAGS)
def test_an_event_is_written_as_on_its_first_day(tag: str) -> None:
    assert encode_event(BY_TAG[tag]) == kept(f"{tag}.json")


@pytest.mark.parametrize("tag", TAGS)
def test_an_event_is_read_as_on_its_first_day(tag: str) -> None:
    assert decode_event(tag, kept(f"{tag}.json")) == BY_TAG[tag]


@pytest.mark.parametrize("tag", TAGS)
def test_a_leaf_hashes_as_on_its_first_day(tag: str) -> None:
    assert encode_leaf(leaf_of(BY_TAG[tag])) == kept(f"{tag}.leaf.json")


@pytest.mark.parametrize("name", sorted(path.name for path in FOLDER.glob("*.json")))
def test_golden_bytes_are_canonical(name: str) -> None:
    assert canonical(msgspec.json.decode(kept(name))) == kept(name)


@pytest.mark.parametrize("tag", TAGS)
def test_a_leaf_holds_its_payload_as_an_object_of_the_very_bytes(tag: str) -> None:
    leaf = msgspec.json.decode(kept(f"{tag}.leaf.json"), type=Leaf)
    assert bytes(leaf.payload) == kept(f"{tag}.json")


def test_golden_bytes_are_never_written_again(tmp_path: Path) -> None:
    name = "user.reinstated.v1.json"
    assert write({name: kept(name)}, tmp_path) == [name]
    assert write({name: kept(name)}, tmp_path) == []
    with pytest.raises(ValueError, match="cannot change"):
        write({name: b"{}", "another.json": b"{}"}, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_bytes() == kept(name)


def test_nothing_is_left_to_write() -> None:
    assert write(golden()) == []
