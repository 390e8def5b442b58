"""What one check of `minos doctor` found: what holds, or what does not and how to mend it."""

from msgspec import Struct


class Finding(Struct, frozen=True, kw_only=True):
    check: str
    ok: bool
    detail: str
