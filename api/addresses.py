"""Which operation a method and address ask for, known before the framework looks: limits come before everything that costs."""

from collections.abc import Iterable
from typing import NamedTuple

CHECK = "/api/v1/auth/check"
ASKED_ALIKE = frozenset({"POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Methods that it answers as it does GET: some gateways ask with that of the request they ask about, and one that nobody judged (the
framework answers OPTIONS by itself) would be one that is let through."""


class Served(NamedTuple):
    method: str
    path: str
    """The template, with each parameter in braces."""
    operation: str


class Addresses:
    """Finds operations as the framework's router does: a segment that is spelled out comes before a parameter."""

    def __init__(self, served: Iterable[Served]) -> None:
        self._exact: dict[tuple[str, str], Served] = {}
        self._patterns: dict[tuple[str, int], list[tuple[tuple[str | None, ...], Served]]] = {}
        for each in served:
            if "{" not in each.path:
                self._exact[each.method, each.path] = each
                continue
            segments = tuple(None if segment.startswith("{") else segment for segment in each.path.split("/"))
            self._patterns.setdefault((each.method, len(segments)), []).append((segments, each))
        for patterns in self._patterns.values():
            patterns.sort(key=lambda pattern: [segment is None for segment in pattern[0]])

    def find(self, method: str, path: str) -> Served | None:
        """Give what is asked for, None where there is nothing. HEAD asks for what GET does."""
        if method == "HEAD":
            method = "GET"
        exact = self._exact.get((method, path))
        if exact is not None:
            return exact
        given = path.split("/")
        for segments, each in self._patterns.get((method, len(given)), ()):
            if all(wanted is None or wanted == segment for wanted, segment in zip(segments, given, strict=True)):
                return each
        return None
