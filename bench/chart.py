"""One picture: how far each figure is from what it must reach. SVG written by hand: it needs no library and diffs well."""

from collections.abc import Sequence
from html import escape
from math import log10
from pathlib import Path

from msgspec import Struct

from bench.goals import Figure

COLOURS = {"aim": "#2a7f4f", "must": "#c08a1e", "MISS": "#b3362c"}
_BARS, _LINE, _TOP = 420, 22, 34
_LETTER = 6.8
"""Room for one of a label, on average; a little more than most fonts need."""
_NUMBER = 30
_LOWEST = 0.1


class Bar(Struct, frozen=True):
    """A share of something, and how it is called. Kept within the chart's ends."""

    label: str
    share: float
    colour: str


def draw(path: Path, figures: Sequence[Figure]) -> None:
    """Write a bar for each figure that has a goal: 1 is what it must reach, more is better."""
    bars = [Bar(figure.goal.title, _share(figure), COLOURS[figure.verdict]) for figure in figures if figure.verdict]
    draw_bars(path, "share of what it must reach; right of the line is enough", bars)


def draw_bars(path: Path, heading: str, bars: Sequence[Bar], *, highest: float = 10.0) -> None:
    """Write a bar for each share on a logarithmic scale from a tenth to `highest`, and a line at 1."""
    labels = round(_LETTER * max(len(bar.label) for bar in bars)) + 16
    height = _TOP + _LINE * len(bars) + 10
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{labels + _BARS + 90}" height="{height}"',
        ' font-family="sans-serif" font-size="12">',
        f'<rect width="100%" height="{height}" fill="white"/>',
        f'<text x="{labels}" y="16" fill="#444">{escape(heading)}</text>',
    ]
    one = labels + _across(1.0, highest)
    for row, bar in enumerate(bars):
        top, width = _TOP + row * _LINE, _across(bar.share, highest)
        after = labels + width + 5
        after = one + 5 if after < one < after + _NUMBER else after
        lines += [
            f'<text x="{labels - 8}" y="{top + 12}" text-anchor="end">{escape(bar.label)}</text>',
            f'<rect x="{labels}" y="{top}" width="{width:.1f}" height="16" fill="{bar.colour}"/>',
            f'<text x="{after:.1f}" y="{top + 12}" fill="#444">{_number(bar.share, highest)}</text>',
        ]
    lines += [f'<line x1="{one}" y1="{_TOP - 8}" x2="{one}" y2="{height - 6}" stroke="black"/>', "</svg>", ""]
    path.write_text("\n".join(lines), encoding="utf-8")


def _number(share: float, highest: float) -> str:
    return f"{share:.2g}" if share < 10 * highest else "much more"


def _share(figure: Figure) -> float:
    must, value = figure.goal.must or 1.0, max(figure.value, 1e-3)
    return value / must if figure.goal.more_is_better else must / value


def _across(share: float, highest: float) -> float:
    held = min(max(share, _LOWEST), highest)
    return _BARS * log10(held / _LOWEST) / log10(highest / _LOWEST)
