"""A service that fetches what a stranger names can be sent inside its own network. This one fetches only what settings name."""

import ast

from docs.console.authority import ROOT

SERVING = ("domain", "commands", "adapters", "api", "projections", "workers")
CLIENTS = {"httpx", "requests", "aiohttp", "urllib3", "urllib.request", "http.client", "adapters.http_question"}
TO_WHOM_SETTINGS_NAME = {
    "adapters/http_question.py",
    "adapters/second_place/bucket.py",
    "adapters/transit.py",
    "adapters/witness/asking.py",
}
"""By the first of them, and where an operator's settings say, never where a request says; no redirect leads them elsewhere."""


def imported(tree: ast.AST) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def test_nothing_that_serves_can_ask_over_http() -> None:
    """Whoever adds the first such call adds a guard of the addresses it may reach, and says here where that is."""
    asking = {
        path.relative_to(ROOT).as_posix()
        for folder in SERVING
        for path in (ROOT / folder).rglob("*.py")
        if any(name == client or name.startswith(f"{client}.") for name in imported(ast.parse(path.read_text())) for client in CLIENTS)
    }
    assert asking == TO_WHOM_SETTINGS_NAME
