"""Whether one tree is the beginning of another (RFC 9162, 2.1.4.2)."""

from collections.abc import Sequence

from minos_sdk.audit.hashing import EMPTY_ROOT, node_hash


def is_beginning(first: tuple[int, bytes], second: tuple[int, bytes], path: Sequence[bytes]) -> bool:
    """Tell whether a path of hashes proves that the tree of `first`, a size and a root, is the beginning of that of `second`.

    The first is no larger than the second. Of an empty tree there is nothing to prove.
    """
    (size, root), (second_size, second_root) = first, second
    if size == 0:
        return not path and root == EMPTY_ROOT
    if size == second_size:
        return not path and root == second_root
    node, last = size - 1, second_size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    hashes = iter(path if node else [root, *path])  # of a whole subtree from the left on, the root is the first hash itself
    if (start := next(hashes, None)) is None:
        return False
    before = after = start
    for sibling in hashes:
        if last == 0:
            return False
        if node & 1 or node == last:
            before, after = node_hash(sibling, before), node_hash(sibling, after)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            after = node_hash(after, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and before == root and after == second_root
