"""What one check of `minos doctor` found: what holds, or what does not and how to mend it."""

from msgspec import Struct

FURTHEST_BEHIND_S = 5.0
"""How old what somebody has not seen yet may be: workers that run are much faster."""


class Finding(Struct, frozen=True, kw_only=True):
    check: str
    ok: bool
    detail: str
