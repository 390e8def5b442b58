"""Proofs that an entry is in a tree, and that a tree is the beginning of another (RFC 6962 2.1.1 and 2.1.2; checked as RFC 9162 2.1.3.2
and 2.1.4.2 say)."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from domain.tree.hashing import joined, node_hash
from domain.tree.nodes import Node, perfect_nodes

Span: TypeAlias = tuple[int, int]
"""Entries from the first number up to, not including, the second."""


class ProofInvalid(Exception):
    """The proof does not show what it is for. The message says in what it fails."""


def inclusion_spans(index: int, size: int) -> list[Span]:
    """Give the subtrees whose roots prove entry `index` in a tree of `size`, from the entry's sibling to the root's child."""
    if not 0 <= index < size:
        raise ValueError(f"there is no entry {index} in a tree of {size}")
    spans: list[Span] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            spans.append((middle, end))
            end = middle
        else:
            spans.append((start, middle))
            start = middle
    return spans[::-1]


def consistency_spans(first: int, second: int) -> list[Span]:
    """Give the subtrees whose roots prove that a tree of `first` entries is the beginning of one of `second`. None are needed for 0."""
    if not 0 <= first <= second:
        raise ValueError(f"a tree of {first} is no beginning of one of {second}")
    spans: list[Span] = []
    start, end, known = 0, second, True
    while first and first != end:
        middle = start + _split(end - start)
        if first <= middle:
            spans.append((middle, end))
            end = middle
        else:
            spans.append((start, middle))
            start, known = middle, False
    if first and not known:
        spans.append((start, end))
    return spans[::-1]


def nodes_of(spans: Sequence[Span]) -> Iterator[Node]:
    """Give every perfect subtree whose hash the roots of these are made of."""
    for start, end in spans:
        yield from perfect_nodes(start, end)


def roots_of(spans: Sequence[Span], hash_of: Callable[[Node], bytes]) -> list[bytes]:
    return [joined([hash_of(node) for node in perfect_nodes(start, end)]) for start, end in spans]


def check_inclusion(path: Sequence[bytes], *, index: int, size: int, leaf: bytes, root: bytes) -> None:
    """`leaf` is the hash of the entry. Raises ProofInvalid."""
    if not 0 <= index < size:
        raise ProofInvalid(f"there is no entry {index} in a tree of {size}")
    reached = leaf
    for other, is_left in _climb(index, size - 1, path):
        reached = node_hash(other, reached) if is_left else node_hash(reached, other)
    if reached != root:
        raise ProofInvalid("the path leads to another root")


def check_consistency(path: Sequence[bytes], *, first: int, second: int, first_root: bytes, second_root: bytes) -> None:
    """Raises ProofInvalid. An empty tree is the beginning of every one."""
    if not 0 <= first <= second:
        raise ProofInvalid(f"a tree of {first} is no beginning of one of {second}")
    if first in {0, second}:
        if path or (first and first_root != second_root):
            raise ProofInvalid("two trees of one size differ" if first else "nothing is to be proved of an empty tree")
        return
    steps = list(path) if first & (first - 1) else [first_root, *path]
    if not steps:
        raise ProofInvalid("the path is empty")
    here, last = first - 1, second - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    earlier = later = steps[0]
    for other, is_left in _climb(here, last, steps[1:]):
        if is_left:
            earlier, later = node_hash(other, earlier), node_hash(other, later)
        else:
            later = node_hash(later, other)
    if earlier != first_root:
        raise ProofInvalid("the path leads to another root of the earlier tree")
    if later != second_root:
        raise ProofInvalid("the path leads to another root of the later tree")


def _climb(here: int, last: int, path: Sequence[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Give each hash of a path, and whether it stands left of what is reached by then. Raises ProofInvalid unless it ends at the root.

    `here` is where it begins, `last` the end of that row.
    """
    for other in path:
        if not last:
            raise ProofInvalid("the path is longer than the tree is high")
        is_left = bool(here & 1) or here == last
        yield other, is_left
        while is_left and here and not here & 1:
            here, last = here >> 1, last >> 1
        here, last = here >> 1, last >> 1
    if last:
        raise ProofInvalid("the path ends below the root")


def _split(size: int) -> int:
    """Give the largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1
