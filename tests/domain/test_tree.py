"""The tree is the one of RFC 6962, at every size, and its proofs prove what they say and nothing else."""

from collections.abc import Sequence
from functools import cache

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.tree.edge import Edge, FullTile
from domain.tree.hashing import EMPTY_ROOT, leaf_hash, perfect_root, split
from domain.tree.nodes import TILE_WIDTH, Node, slot_of, tile_widths
from domain.tree.proofs import (
    ProofInvalid,
    check_consistency,
    check_inclusion,
    consistency_spans,
    inclusion_spans,
    nodes_of,
    roots_of,
)
from tests.domain import naive_tree
from tests.domain.test_laws import quick

LARGEST = 700
ENTRIES = [f"entry {n}".encode() for n in range(LARGEST)]
SIZES = st.integers(1, LARGEST)


@cache
def grown(size: int) -> tuple[Edge, tuple[FullTile, ...]]:
    edge = Edge()
    return edge, tuple(edge.add(map(leaf_hash, ENTRIES[:size])))


def hash_of(size: int, node: Node) -> bytes:
    """Find a hash where a reader of tiles does: in a full tile, or in the edge."""
    edge, full = grown(size)
    slot = slot_of(node)
    packed = {(tile.level, tile.tile): split(tile.hashes) for tile in full}
    row: Sequence[bytes] = packed.get((slot.level, slot.tile)) or edge.row(slot.level)
    return perfect_root(row[slot.first : slot.first + slot.width])


def inclusion(index: int, size: int) -> list[bytes]:
    return roots_of(inclusion_spans(index, size), lambda node: hash_of(size, node))


def consistency(first: int, second: int) -> list[bytes]:
    return roots_of(consistency_spans(first, second), lambda node: hash_of(second, node))


@quick
@given(st.integers(0, LARGEST))
@example(0)
@example(256)
@example(512)
def test_the_root_is_that_of_rfc_6962(size: int) -> None:
    assert grown(size)[0].root() == naive_tree.root(ENTRIES[:size])


def test_the_published_roots_come_out() -> None:
    """Of the first entries that certificate transparency's own tests hash, and of none."""
    entries = [b"", b"\x00", b"\x10", b"\x20\x21", b"\x30\x31", b"\x40\x41\x42\x43"]
    wanted = "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"
    edge = Edge()
    assert edge.root() == EMPTY_ROOT
    assert not list(edge.add(map(leaf_hash, entries)))
    assert edge.root().hex() == wanted


def test_a_tree_of_three_levels_of_tiles_has_the_right_root_and_tiles() -> None:
    entries = [n.to_bytes(4, "big") for n in range(70_000)]
    edge = Edge()
    full = list(edge.add(map(leaf_hash, entries)))
    assert edge.root() == naive_tree.root(entries)
    assert [(tile.level, tile.tile) for tile in full if tile.level] == [(1, 0)]
    assert len(full) == 274
    assert list(tile_widths(70_000)) == [(0, 273, 112), (1, 1, 17), (2, 0, 1)]
    assert full[256].hashes == b"".join(tile.root for tile in full[:256]), "it follows what it is made of"


@quick
@given(SIZES, st.integers(0, LARGEST))
def test_an_edge_made_again_grows_as_the_first_one(size: int, more: int) -> None:
    edge, _ = grown(size)
    again = Edge.of(size, {level: edge.row(level) for level, _, _ in tile_widths(size)})
    added = [leaf_hash(b"%d" % n) for n in range(more)]
    full = list(again.add(added))
    straight = Edge()
    wanted = list(straight.add([*map(leaf_hash, ENTRIES[:size]), *added]))
    assert again.root() == straight.root()
    assert full == wanted[len(wanted) - len(full) :]


def test_an_edge_is_not_made_of_what_does_not_fit() -> None:
    with pytest.raises(ValueError, match="partial"):
        Edge.of(257, {0: [b"a" * 32]})


@quick
@given(st.data(), SIZES)
def test_an_inclusion_proof_is_that_of_rfc_6962_and_is_accepted(data: st.DataObject, size: int) -> None:
    index = data.draw(st.integers(0, size - 1))
    path = inclusion(index, size)
    assert path == naive_tree.inclusion(index, ENTRIES[:size])
    root = naive_tree.root(ENTRIES[:size])
    check_inclusion(path, index=index, size=size, leaf=leaf_hash(ENTRIES[index]), root=root)


@quick
@given(st.data(), SIZES)
def test_a_consistency_proof_is_that_of_rfc_6962_and_is_accepted(data: st.DataObject, second: int) -> None:
    first = data.draw(st.integers(0, second))
    path = consistency(first, second)
    if first:
        assert path == naive_tree.consistency(first, ENTRIES[:second])
    roots = naive_tree.root(ENTRIES[:first]), naive_tree.root(ENTRIES[:second])
    check_consistency(path, first=first, second=second, first_root=roots[0], second_root=roots[1])


@quick
@given(st.data(), st.integers(2, LARGEST))
def test_a_changed_inclusion_proof_proves_nothing(data: st.DataObject, size: int) -> None:
    index = data.draw(st.integers(0, size - 1))
    path, root, leaf = inclusion(index, size), naive_tree.root(ENTRIES[:size]), leaf_hash(ENTRIES[index])
    for wrong in _wrong_paths(data, path):
        with pytest.raises(ProofInvalid):
            check_inclusion(wrong, index=index, size=size, leaf=leaf, root=root)
    other = data.draw(st.integers(0, size - 1).filter(lambda n: n != index))
    with pytest.raises(ProofInvalid):
        check_inclusion(path, index=index, size=size, leaf=leaf_hash(ENTRIES[other]), root=root)
    with pytest.raises(ProofInvalid):
        check_inclusion(path, index=other, size=size, leaf=leaf, root=root)
    with pytest.raises(ProofInvalid):
        check_inclusion(path, index=size, size=size, leaf=leaf, root=root)


@quick
@given(st.data(), st.integers(2, LARGEST))
def test_a_changed_consistency_proof_proves_nothing(data: st.DataObject, second: int) -> None:
    first = data.draw(st.integers(1, second - 1))
    path = consistency(first, second)
    first_root, second_root = naive_tree.root(ENTRIES[:first]), naive_tree.root(ENTRIES[:second])
    for wrong in _wrong_paths(data, path):
        with pytest.raises(ProofInvalid):
            check_consistency(wrong, first=first, second=second, first_root=first_root, second_root=second_root)
    for roots in ((EMPTY_ROOT, second_root), (first_root, EMPTY_ROOT), (second_root, first_root)):
        with pytest.raises(ProofInvalid):
            check_consistency(path, first=first, second=second, first_root=roots[0], second_root=roots[1])


def _wrong_paths(data: st.DataObject, path: list[bytes]) -> list[list[bytes]]:
    at = data.draw(st.integers(0, len(path) - 1))
    bit = data.draw(st.integers(0, 255))
    flipped = (int.from_bytes(path[at], "big") ^ (1 << bit)).to_bytes(32, "big")
    return [[*path[:at], flipped, *path[at + 1 :]], path[:at] + path[at + 1 :], [*path, path[at]], []]


def test_two_trees_of_one_size_are_one_tree() -> None:
    root = naive_tree.root(ENTRIES[:7])
    check_consistency([], first=7, second=7, first_root=root, second_root=root)
    with pytest.raises(ProofInvalid, match="one size"):
        check_consistency([], first=7, second=7, first_root=root, second_root=EMPTY_ROOT)
    with pytest.raises(ProofInvalid):
        check_consistency([root], first=7, second=7, first_root=root, second_root=root)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (-1, 5), (5, 5)])
def test_there_is_no_proof_of_what_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no entry"):
        inclusion_spans(index, size)


def test_a_longer_tree_is_no_beginning_of_a_shorter_one() -> None:
    with pytest.raises(ValueError, match="no beginning"):
        consistency_spans(6, 5)
    with pytest.raises(ProofInvalid, match="no beginning"):
        check_consistency([], first=6, second=5, first_root=EMPTY_ROOT, second_root=EMPTY_ROOT)


@given(st.integers(0, 40), st.integers(0, 2**30))
def test_every_node_lies_within_one_tile(height: int, number: int) -> None:
    slot = slot_of(Node(height, number))
    assert slot.first + slot.width <= TILE_WIDTH
    assert (slot.tile * TILE_WIDTH + slot.first) * 256**slot.level == number << height
    assert slot.width * 256**slot.level == 1 << height


@quick
@given(st.data(), SIZES)
def test_a_proof_needs_hashes_of_that_tree_only(data: st.DataObject, size: int) -> None:
    for node in nodes_of(inclusion_spans(data.draw(st.integers(0, size - 1)), size)):
        assert (node.number + 1) << node.height <= size
