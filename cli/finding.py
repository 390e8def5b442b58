"""What one check of `minos doctor` found: what holds, or what does not and how to mend it."""

from msgspec import Struct

FURTHEST_BEHIND_S = 5.0
"""How old what somebody has not seen yet may be: workers that run are much faster."""


class Finding(Struct, frozen=True, kw_only=True):
    """`warning`: of what is not ok, that nothing fails by it yet."""

    check: str
    ok: bool
    detail: str
    warning: bool = False
    group: str = ""

    @property
    def is_wrong(self) -> bool:
        return not self.ok and not self.warning


def warned(check: str, detail: str, advice: str, *, ok: bool) -> Finding:
    """Give what holds, or a warning with what to do about it."""
    return Finding(check=check, ok=ok, detail=detail if ok else f"{detail}: {advice}", warning=not ok)


def found(check: str, detail: str, advice: str, *, ok: bool) -> Finding:
    """Give what holds, or what is wrong with what to do about it."""
    return Finding(check=check, ok=ok, detail=detail if ok else f"{detail}: {advice}")
