"""Write the reference from the code: `uv run python -m docs.generate`. With `--check`, only say whether it is up to date."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from docs.generator import access, commands, errors, events, metrics, openapi, settings

REFERENCE = Path(__file__).parent / "reference"
PAGES: dict[str, Callable[[], str]] = {
    "access.md": access.page,
    "cli.md": commands.page,
    "errors.md": errors.page,
    "events.md": events.page,
    "metrics.md": metrics.page,
    "openapi.json": openapi.page,
    "settings.md": settings.page,
}


def outdated() -> list[str]:
    """Give the names of the pages that differ from what the code says now."""
    return [name for name, page in PAGES.items() if not (REFERENCE / name).exists() or (REFERENCE / name).read_text() != page()]


def main(arguments: Sequence[str]) -> int:
    late = outdated()
    if "--check" in arguments:
        print("\n".join(f"docs/reference/{name} is not what the code says" for name in late) or "the reference is up to date")
        return 1 if late else 0
    REFERENCE.mkdir(exist_ok=True)
    for name in late:
        (REFERENCE / name).write_text(PAGES[name]())
        print(f"wrote docs/reference/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
