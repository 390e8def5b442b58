"""`deploy/observability/grafana/dashboards/*.json` and a picture of how they are laid out, from `panels.py`."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

import msgspec

from docs.generator.panels import DASHBOARDS, Dashboard, Panel

_WIDE, _HIGH, _HIGH_STAT = 24, 8, 4
_UNIT, _TOP, _COLUMNS = 14, 24, 2
"""Of the picture: pixels a unit of the grid, a title above each dashboard, dashboards side by side."""


def page(dashboard: Dashboard) -> str:
    """Give a dashboard as Grafana provisions it. The panels of a row share its width."""
    written = {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "description": dashboard.about,
        "tags": ["minos"],
        "schemaVersion": 39,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "links": [{"type": "dashboards", "tags": ["minos"], "asDropdown": True, "title": "Minos", "keepTime": True}],
        "panels": list(_panels(dashboard)),
    }
    return msgspec.json.format(msgspec.json.encode(written), indent=1).decode() + "\n"


def _panels(dashboard: Dashboard) -> Iterator[Mapping[str, Any]]:
    number, top = 0, 0
    for title, panels in dashboard.rows:
        number += 1
        yield {"id": number, "type": "row", "title": title, "collapsed": False, "panels": [], "gridPos": _at(0, top, _WIDE, 1)}
        width, high = _WIDE // len(panels), _height(panels)
        top += 1
        for column, panel in enumerate(panels):
            number += 1
            yield {"id": number, **_panel(panel), "gridPos": _at(column * width, top, width, high)}
        top += high


def _height(panels: Sequence[Panel]) -> int:
    return _HIGH_STAT if all(panel.worst is not None or len(panels) == 4 for panel in panels) else _HIGH


def _at(x: int, y: int, w: int, h: int) -> Mapping[str, int]:
    return {"x": x, "y": y, "w": w, "h": h}


def _panel(panel: Panel) -> Mapping[str, Any]:
    source = {"type": "prometheus", "uid": "prometheus"}
    steps: list[Mapping[str, Any]] = [{"color": "green", "value": None}]
    if panel.worst is not None:
        steps.append({"color": "red", "value": panel.worst})
    return {
        "type": "timeseries" if panel.worst is None else "stat",
        "title": panel.title,
        "datasource": source,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0, "thresholds": {"mode": "absolute", "steps": steps}}, "overrides": []},
        "targets": [
            {"refId": chr(ord("A") + n), "datasource": source, "expr": expr, "legendFormat": legend}
            for n, (expr, legend) in enumerate(panel.queries)
        ],
    }


def provider() -> str:
    """Tell Grafana where they are."""
    return (
        "apiVersion: 1\nproviders:\n"
        "  - { name: Minos, folder: Minos, type: file, options: { path: /etc/grafana/provisioning/dashboards } }\n"
    )


def picture() -> str:
    """Draw the panels where the files put them: no figures, for there is nothing to show of yours."""
    drawn = [(dashboard, [panel for panel in _panels(dashboard) if panel["type"] != "row"]) for dashboard in DASHBOARDS]
    tops, lines = [0] * _COLUMNS, list[str]()
    for n, (dashboard, panels) in enumerate(drawn):
        left, top = n % _COLUMNS * (_WIDE * _UNIT + 20) + 10, tops[n % _COLUMNS] + _TOP
        lines.append(f'<text x="{left}" y="{top - 7}" font-size="13" font-weight="bold">{escape(dashboard.title)}</text>')
        lines += [line for panel in panels for line in _drawn(panel, left, top)]
        tops[n % _COLUMNS] = top + max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels) * _UNIT // 2 + 8
    size = f'width="{_COLUMNS * (_WIDE * _UNIT + 20)}" height="{max(tops) + 8}"'
    head = [f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="9">']
    return "\n".join([*head, '<rect width="100%" height="100%" fill="white"/>', *lines, "</svg>", ""])


def _drawn(panel: Mapping[str, Any], left: int, top: int) -> Iterator[str]:
    at = panel["gridPos"]
    x, y, w, h = left + at["x"] * _UNIT, top + at["y"] * _UNIT // 2, at["w"] * _UNIT - 3, at["h"] * _UNIT // 2 - 3
    fill = "#e6f2ea" if panel["type"] == "stat" else "#eef1f6"
    yield f'<rect x="{x}" y="{y}" width="{w}" height="{h}" fill="{fill}" stroke="#aab"/>'
    words = panel["title"] if len(panel["title"]) * 5.2 < w else panel["title"][: int(w / 5.2) - 2] + "…"
    yield f'<text x="{x + 4}" y="{y + 12}" fill="#333">{escape(words)}</text>'
