"""One picture: how far each figure is from what it must reach. SVG written by hand: it needs no library and diffs well."""

from collections.abc import Sequence
from html import escape
from math import log10
from pathlib import Path

from bench.goals import Figure

_COLOURS = {"aim": "#2a7f4f", "must": "#c08a1e", "MISS": "#b3362c"}
_LABELS, _BARS, _LINE, _TOP = 330, 420, 22, 34
_LOWEST, _HIGHEST = 0.1, 10.0


def draw(path: Path, figures: Sequence[Figure]) -> None:
    """Write a bar for each figure that has a goal, on a logarithmic scale: 1 is what it must reach, more is better."""
    judged = [figure for figure in figures if figure.verdict]
    height = _TOP + _LINE * len(judged) + 10
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_LABELS + _BARS + 60}" height="{height}"',
        ' font-family="sans-serif" font-size="12">',
        f'<rect width="100%" height="{height}" fill="white"/>',
        f'<text x="{_LABELS}" y="16" fill="#444">share of what it must reach; right of the line is enough</text>',
    ]
    for row, figure in enumerate(judged):
        top, share = _TOP + row * _LINE, _share(figure)
        lines += [
            f'<text x="{_LABELS - 8}" y="{top + 12}" text-anchor="end">{escape(figure.goal.title)}</text>',
            f'<rect x="{_LABELS}" y="{top}" width="{_across(share):.1f}" height="16" fill="{_COLOURS[figure.verdict]}"/>',
            f'<text x="{_LABELS + _across(share) + 5:.1f}" y="{top + 12}" fill="#444">{share:.2g}</text>',
        ]
    one = _LABELS + _across(1.0)
    lines += [f'<line x1="{one}" y1="{_TOP - 8}" x2="{one}" y2="{height - 6}" stroke="black"/>', "</svg>", ""]
    path.write_text("\n".join(lines), encoding="utf-8")


def _share(figure: Figure) -> float:
    must, value = figure.goal.must or 1.0, max(figure.value, 1e-3)
    return value / must if figure.goal.more_is_better else must / value


def _across(share: float) -> float:
    held = min(max(share, _LOWEST), _HIGHEST)
    return _BARS * log10(held / _LOWEST) / log10(_HIGHEST / _LOWEST)
