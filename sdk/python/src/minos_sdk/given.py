"""What this package is set up with: refused where it is given and by its name, not later by whoever calls the service.

Raises TypeError for what is of another kind, ValueError for what cannot be meant. The value itself is in no message: a secret may have
been given in its place.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from inspect import iscoroutinefunction
from math import inf, isfinite
from typing import cast


@dataclass(frozen=True, slots=True)
class Shape:
    """Of a text as a whole, and the same in words."""

    pattern: str
    words: str


SLUG = Shape(r"[a-z0-9][a-z0-9_-]{0,63}", "of a to z, 0 to 9, - and _, 64 at the most")
"""How Minos names audiences, roles and clients."""
PERMISSION = Shape(r"([a-z0-9_-]+|\*)(\.([a-z0-9_-]+|\*)){0,7}", "as orders.read or orders.*")
SCOPE = Shape(r"[!#-\[\]-~]+", "without blanks and quotation marks (RFC 6749 3.3)")


def text(name: str, value: object, wanted: str = "a text", *, shape: Shape | None = None) -> None:
    """Not empty, without blanks around it, and of this shape."""
    if not isinstance(value, str):
        raise _other(name, wanted, value)
    if not value or value != value.strip() or (shape is not None and re.fullmatch(shape.pattern, value) is None):
        raise ValueError(f"{name} is {wanted}, not empty and with no blanks around it" + ("" if shape is None else f", {shape.words}"))


def audience(name: str, value: object) -> None:
    text(name, value, "the name of an audience at Minos, what tokens for this service say in `aud`", shape=SLUG)


def texts(name: str, values: object, shape: Shape | None = None, *, least: int = 0) -> tuple[str, ...]:
    """Several, each by itself: one text would be taken for its letters."""
    wanted = f"a collection of texts, at least {least}" if least else "a collection of texts"
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise _other(name, wanted, values)
    each = tuple(cast("Iterable[object]", values))
    if len(each) < least:
        raise ValueError(f"{name} is {wanted}")
    for one in each:
        text(f"each of {name}", one, shape=shape)
    return cast("tuple[str, ...]", each)


def number(name: str, value: object, *, least: float = 0, most: float = inf, unit: str = "seconds", why: str = "") -> None:
    wanted = f"{unit}, {least:g} or more" if most == inf else f"{unit}, {least:g} to {most:g}"
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _other(name, wanted, value)
    if not (isfinite(value) and least <= value <= most):
        raise ValueError(f"{name} is {wanted}" + (f": {why}" if why else ""))


def whole(name: str, value: object, *, least: int = 0, unit: str = "a whole number") -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _other(name, unit, value)
    number(name, value, least=least, unit=unit)


def flags(**values: object) -> None:
    """`"false"` would be true."""
    for name, value in values.items():
        if not isinstance(value, bool):
            raise _other(name, "True or False", value)


def one_of(name: str, value: object, kind: type, wanted: str) -> None:
    if not isinstance(value, kind):
        raise _other(name, wanted, value)


def able(name: str, value: object, *methods: str, wanted: str) -> None:
    """Something that can do this: an object, not its class, and none that blocks where the others are awaited."""
    kind = type(value)
    blocks = hasattr(kind, "__enter__") and not hasattr(kind, "__aenter__")
    if isinstance(value, type) or blocks or not all(callable(getattr(value, method, None)) for method in methods):
        raise _other(name, wanted, value)


def function(name: str, value: object, wanted: str = "a function") -> None:
    """One that is called and not awaited: what `async def` gives is always true, and does nothing."""
    if not callable(value) or iscoroutinefunction(value) or iscoroutinefunction(getattr(value, "__call__", None)):  # noqa: B004 - what it is
        raise _other(name, f"{wanted}, not `async`", value)


def alike(**parts: object) -> None:
    """Raises ValueError where parts that say what they are for do not say the same: one would let in what is for the other, or hear
    nothing of what became of it."""
    for what in ("issuer", "audience"):
        said = {value.rstrip("/") for part in parts.values() if isinstance(value := getattr(part, what, None), str)}
        if len(said) > 1:
            raise ValueError(f"{' and '.join(parts)} are of one {what}, not of {' and '.join(sorted(said))}")


def _other(name: str, wanted: str, value: object) -> TypeError:
    what = f"the class {value.__name__}" if isinstance(value, type) else type(value).__name__
    return TypeError(f"{name} is {wanted}; this is {what}")
