"""Secrets are made of the operating system's chance, which nobody can foresee."""

import ast

from docs.console.authority import ROOT

FOLDERS = ("domain", "commands", "adapters", "api", "projections", "workers", "cli", "migrations")
MAY_BE_FORESEEN = {
    "workers/rebuild_check.py",  # picks rows to compare
    "workers/retention/swapping.py",  # when to try again
}


def imported(tree: ast.AST) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(str(node.module).partition(".")[0])
    return names


def test_nothing_secret_comes_from_chance_that_can_be_foreseen() -> None:
    files = {path.relative_to(ROOT).as_posix(): path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")}
    foreseen = {name for name, path in files.items() if imported(ast.parse(path.read_text())) & {"random", "numpy"}}
    assert foreseen == MAY_BE_FORESEEN
