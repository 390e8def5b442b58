"""One picture: the median answer of each call, a dot for each size."""

from collections.abc import Sequence
from html import escape
from math import ceil, floor, log10
from pathlib import Path

from bench.growth.calls import CALLS
from bench.growth.measuring import Measured

_COLOURS = ("#9ecae1", "#4292c6", "#08306b")
_LABELS, _WIDE, _LINE, _TOP = 230, 470, 22, 48


def draw(path: Path, sizes: Sequence[Measured]) -> None:
    """Write milliseconds on a logarithmic scale, the calls below one another."""
    medians = [answered.p50_ms for size in sizes for answered in size.calls.values()]
    low, high = floor(log10(max(min(medians), 0.01))), ceil(log10(max(*medians, 0.1)))

    def across(milliseconds: float) -> float:
        return _LABELS + _WIDE * (log10(max(milliseconds, 0.01)) - low) / max(high - low, 1)

    height = _TOP + _LINE * len(CALLS) + 12
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_LABELS + _WIDE + 40}" height="{height}"',
        ' font-family="sans-serif" font-size="12">',
        f'<rect width="100%" height="{height}" fill="white"/>',
        f'<text x="{_LABELS - 8}" y="16" text-anchor="end" fill="#444">p50, ms</text>',
    ]
    for n, size in enumerate(sizes):
        left = _LABELS + n * 150
        lines.append(f'<circle cx="{left + 5}" cy="12" r="5" fill="{_COLOURS[n % len(_COLOURS)]}"/>')
        lines.append(f'<text x="{left + 15}" y="16">{size.users:,} users</text>')
    for power in range(low, high + 1):
        at = across(10.0**power)
        lines.append(f'<line x1="{at:.1f}" y1="{_TOP - 10}" x2="{at:.1f}" y2="{height - 8}" stroke="#ddd"/>')
        lines.append(f'<text x="{at:.1f}" y="{_TOP - 14}" text-anchor="middle" fill="#444">{10.0**power:g}</text>')
    for row, call in enumerate(CALLS):
        middle = _TOP + row * _LINE + 8
        lines.append(f'<text x="{_LABELS - 8}" y="{middle + 4}" text-anchor="end">{escape(call.title)}</text>')
        lines += [
            f'<circle cx="{across(size.calls[call.key].p50_ms):.1f}" cy="{middle}" r="5" fill="{_COLOURS[n % len(_COLOURS)]}"'
            ' fill-opacity="0.85"/>'
            for n, size in enumerate(sizes)
        ]
    path.write_text("\n".join([*lines, "</svg>", ""]), encoding="utf-8")
