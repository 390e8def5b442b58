"""Permissions are dotted segments; `*` stands for one whole segment, and at the end for one or more of them."""

from collections.abc import Iterable


def covers(held: str, wanted: str) -> bool:
    """Tell whether whoever holds one may do all that the other allows. `wanted` may be a pattern too.

    `tasks.*` covers `tasks.read` and `tasks.read.own`, never `tasks` and never `tasksadmin.read`.
    """
    have, want = held.split("."), wanted.split(".")
    *begin, last = have
    if len(want) < len(have) or any(h not in ("*", w) for h, w in zip(begin, want, strict=False)):
        return False
    if last == "*":
        return True
    return len(want) == len(have) and last == want[-1]


def allows(held: Iterable[str], wanted: str) -> bool:
    """Tell whether any one of the held permissions covers the wanted one. Raises TypeError for one text, of whose letters `*` would do."""
    if isinstance(held, str):
        raise TypeError("held is a collection of permissions; this is one text")
    return any(covers(each, wanted) for each in held)


def shared(some: Iterable[str], others: Iterable[str]) -> frozenset[str]:
    """Give what both allow, as far as one of two permissions covers the other: of `a.*` and `a.b`, `a.b`."""
    ours, theirs = tuple(some), tuple(others)
    return frozenset({each for each in ours if allows(theirs, each)} | {each for each in theirs if allows(ours, each)})
