"""Write the pages that are made from the code: `uv run python -m docs.generate`. With `--check`, only say whether it is up to date."""

import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from docs.generator import (
    access,
    asyncapi,
    chart,
    commands,
    dashboards,
    decisions,
    errors,
    events,
    limits,
    metrics,
    openapi,
    panels,
    runs,
    sdk_codes,
    settings,
    signals,
    sizing,
    speed,
)

DOCS = Path(__file__).parent
PAGES: dict[str, Callable[[], str]] = {
    "../sdk/python/src/minos_sdk/codes.py": sdk_codes.page,
    "../deploy/helm/minos/values.schema.json": chart.page,
    "adr/README.md": decisions.page,
    "../deploy/observability/grafana/dashboards/minos.yaml": dashboards.provider,
    **{f"../deploy/observability/grafana/dashboards/{each.uid}.json": partial(dashboards.page, each) for each in panels.DASHBOARDS},
    "how-to/watch-minos.svg": dashboards.picture,
    "reference/access.md": access.page,
    "reference/asyncapi.json": asyncapi.page,
    "reference/cli.md": commands.page,
    "reference/errors.md": errors.page,
    "reference/events.md": events.page,
    "reference/limits.md": limits.page,
    "reference/metrics.md": metrics.page,
    "reference/openapi.json": openapi.page,
    "reference/runs.md": runs.page,
    "reference/settings.md": settings.page,
    "reference/signals.md": signals.page,
    "reference/sizing.md": sizing.page,
    "reference/speed.md": speed.page,
}


def outdated() -> list[str]:
    """Give the names of the pages that differ from what the code says now."""
    return [name for name, page in PAGES.items() if not (DOCS / name).exists() or (DOCS / name).read_text() != page()]


def main(arguments: Sequence[str]) -> int:
    late = outdated()
    if "--check" in arguments:
        print("\n".join(f"docs/{name} is not what the code says" for name in late) or "all pages are up to date")
        return 1 if late else 0
    for name in late:
        (DOCS / name).write_text(PAGES[name]())
        print(f"wrote docs/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
