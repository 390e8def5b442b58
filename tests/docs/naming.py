"""What a document names: files and tests of the project that have to exist, and later pieces of work."""

import ast
import re
from functools import cache

from docs.console.authority import ROOT

LATER = {
    "accounts and factors", "downstream and SDK", "OAuth and OIDC", "audit and proofs", "operations", "webhooks", "pages and console",
}  # fmt: skip
_NAMED = re.compile(r"`([\w./-]+\.(?:py|sql|md|yaml|yml|json|lock|toml)|justfile|deploy/\w+|\.ci/\w+)(?:::(\w+))?`")


def files_and_tests(text: str) -> list[tuple[str, str]]:
    """Give each path in backticks with the function named after it, or with nothing."""
    return _NAMED.findall(text)


def missing(text: str) -> list[str]:
    """Give what a text names and the project does not have."""
    return [f"{path}::{name}" for path, name in files_and_tests(text) if not _exists(path, name)]


def are_tests(text: str) -> bool:
    """Tell whether a text names a test at least, and nothing that is none."""
    named = files_and_tests(text)
    return bool(named) and all(path.startswith(("tests/", "sdk/python/tests/", "deploy/checks/")) and name for path, name in named)


def _exists(path: str, name: str) -> bool:
    return (ROOT / path).is_file() and (not name or name in _functions(path))


@cache
def _functions(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text())
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
