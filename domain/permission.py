"""Permissions are dotted segments; `*` stands for one whole segment, and at the end for one or more of them."""

import re
from collections.abc import Iterable
from typing import Annotated, NewType

from msgspec import Meta

Permission = NewType("Permission", str)
"""`segment.segment`, lower case; as a pattern any segment may be `*`."""

PermissionText = Annotated[Permission, Meta(pattern=r"^([a-z0-9_-]+|\*)(\.([a-z0-9_-]+|\*)){0,7}$(?!\n)", max_length=128)]
"""What a field of an event or a request is."""

_IS_PERMISSION = re.compile(r"([a-z0-9_-]+|\*)(\.([a-z0-9_-]+|\*)){0,7}")


def is_permission(text: str) -> bool:
    """Tell whether a text is a permission, or a pattern of them."""
    return len(text) <= 128 and _IS_PERMISSION.fullmatch(text) is not None


EVERYTHING = Permission("*")


def covers(held: Permission, wanted: Permission) -> bool:
    """Tell whether whoever holds one may do all that the other allows. `wanted` may be a pattern too.

    `tasks.*` covers `tasks.read` and `tasks.read.own`, never `tasks` and never `tasksadmin.read`.
    """
    have, want = held.split("."), wanted.split(".")
    for i, segment in enumerate(have):
        last = i == len(have) - 1
        if i >= len(want):
            return False
        if segment == "*":
            if last:
                return True
            continue
        if segment != want[i]:
            return False
    return len(have) == len(want)


def allows(held: Iterable[Permission], wanted: Permission) -> bool:
    """Tell whether any one of the held permissions covers the wanted one."""
    return any(covers(h, wanted) for h in held)


def covering(wanted: Permission) -> tuple[Permission, ...]:
    """Give every pattern that covers it, the permission itself among them: 383 of the longest."""
    segments = wanted.split(".")
    found: set[str] = set()
    beginnings = [""]
    for i, segment in enumerate(segments):
        longer = [f"{beginning}.{one}" if beginning else one for beginning in beginnings for one in {segment, "*"}]
        found.update(longer if i == len(segments) - 1 else [text for text in longer if text.endswith("*")])
        beginnings = longer
    return tuple(Permission(text) for text in sorted(found))


def within(wanted: Iterable[Permission], held: Iterable[Permission]) -> bool:
    """Tell whether every wanted permission is covered: what may be handed out (threats.md 6)."""
    bounds = tuple(held)
    return all(allows(bounds, w) for w in wanted)


def shared(some: Iterable[Permission], others: Iterable[Permission]) -> tuple[Permission, ...]:
    """Give what both allow, as far as one of two permissions covers the other: of `a.*` and `a.b`, `a.b`."""
    ours, theirs = tuple(some), tuple(others)
    found = {p for p in ours if allows(theirs, p)} | {p for p in theirs if allows(ours, p)}
    return tuple(sorted(found))
