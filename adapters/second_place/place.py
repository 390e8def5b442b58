"""What a second place must do. One contract suite runs against every implementation (tests/second_place)."""

import re
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from msgspec import Struct

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)*")
_LONGEST_NAME = 200


class PlaceChanged(Exception):
    """What is kept under that name is not what the caller expected: somebody else was there. Read it again and decide anew."""


class PlaceAway(Exception):
    """The place cannot be reached, or cannot be written to. What was being put may be there or not. The message tells the operator."""


class BadName(ValueError):
    """No name of a second place: lower-case letters, digits and `._-` in parts divided by `/`, none of which begins with a dot."""


class Kept(Struct, frozen=True, kw_only=True):
    """`version` means something to the place only: it is handed back when this is to be replaced."""

    data: bytes
    version: str


@runtime_checkable
class SecondPlace(Protocol):
    """Small things by name, each replaced only by who knows what is there. Durable once `put` returns. All raise PlaceAway and BadName.

    No name may be the beginning of another one's path: `a` and `a/b` exclude each other.
    """

    async def get(self, name: str) -> Kept | None: ...

    async def put(self, name: str, data: bytes, *, expect: str | None) -> str:
        """Put it there if the version there is `expect`; None: if nothing is. Give its version. Raises PlaceChanged."""
        ...

    async def names(self, prefix: str) -> Sequence[str]:
        """Give every name that begins so, sorted. A prefix is whole parts with a final `/`, or empty."""
        ...

    async def close(self) -> None: ...


def check_name(name: str) -> str:
    if len(name) > _LONGEST_NAME or not _NAME.fullmatch(name):
        raise BadName(f"{name[:80]!r} is no name of a second place")
    return name


def check_prefix(prefix: str) -> str:
    if prefix:
        check_name(prefix.removesuffix("/"))
        if not prefix.endswith("/"):
            raise BadName(f"{prefix[:80]!r} is no prefix of names: it needs a final slash")
    return prefix
