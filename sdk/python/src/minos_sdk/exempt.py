"""Paths without a look at credentials: only where every reader of the path would read the same."""

import re
from collections.abc import Callable, Collection

from minos_sdk import given
from minos_sdk.answers import Scope

PathOf = Callable[[Scope], str | None]
"""Give the path as the routes of the application name theirs; None where that is not certain, and nothing is exempt."""

_NO_PATH = re.compile(r"[*?#%]")


def path_below_root(scope: Scope) -> str | None:
    """Give the path below where the application is mounted.

    Frameworks disagree about paths that have the mount's own in them and do not begin with it, or whose mount ends with a slash: Starlette
    cuts the prefix, Litestar all up to its first appearance. So these are no path of anything that is exempt.
    """
    path, root = str(scope["path"]), str(scope.get("root_path", ""))
    if not root.strip("/"):
        return path
    if root.endswith("/"):
        return None
    before, mount, below = path.partition(root)
    if not mount:
        return path
    return below if not before and below[:1] in {"", "/"} else None


class ExemptPaths:
    """One exactly, or all below one by `/assets/*`."""

    def __init__(self, paths: Collection[str], path_of: PathOf = path_below_root) -> None:
        paths = given.texts("exempt", paths)
        for path in paths:
            if not path.startswith("/") or _NO_PATH.search(path.removesuffix("/*")):
                raise ValueError(f"exempt: {path!r} exempts nothing: a path begins with /, is not encoded, and has * only in /* at its end")
            if path == "/*":
                raise ValueError("exempt: '/*' exempts everything: leave the middleware away, or have it with required=False")
        self._path_of = path_of
        self._exactly = frozenset(path for path in paths if not path.endswith("/*"))
        self._below = tuple(path[:-1] for path in paths if path.endswith("/*"))

    def has(self, scope: Scope) -> bool:
        """Nothing that a router, a proxy or a file system may read as a way up is below an exempt path."""
        path = self._path_of(scope)
        return path is not None and self.covers(path)

    def covers(self, path: str) -> bool:
        return path in self._exactly or (path.startswith(self._below) and _is_plain(path))


def _is_plain(path: str) -> bool:
    segments = path.split("/")[1:]
    return not any(mark in path for mark in "\\%") and not {".", ".."} & set(segments) and "" not in segments[:-1]
