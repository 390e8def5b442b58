"""A run as it went: requests in each second, those that failed below the line, and faults as bands with their numbers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol


class Happened(Protocol):
    """One fault, in seconds of the run: when it began, and after how many more it was over and all was well. `skipped`: why not."""

    @property
    def began_s(self) -> float: ...
    @property
    def harm_s(self) -> float: ...
    @property
    def steady_s(self) -> float: ...
    @property
    def skipped(self) -> str: ...


class Told(Protocol):
    """A run: how many requests succeeded and failed in each second, and its faults."""

    @property
    def seconds(self) -> Sequence[tuple[int, int]]: ...
    @property
    def faults(self) -> Sequence[Happened]: ...


_WIDTH, _UP, _DOWN, _LEFT, _TOP = 1000.0, 150.0, 60.0, 50.0, 40.0
_WELL, _FAILED, _BAND, _CALM = "#2a7f4f", "#b3362c", "#e8d9b5", "#f4eddc"
_LEGEND = "requests a second: answered above the line, failed below; bands: faults (dark), and until all was well again (light)"


def draw(path: Path, outcome: Told) -> None:
    count = max(1, len(outcome.seconds))
    wide = _WIDTH / count
    most = max((max(well, failed) for well, failed in outcome.seconds), default=0) or 1
    line = _TOP + _UP
    height, width = line + _DOWN + 30, _LEFT + _WIDTH + 20
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" font-family="sans-serif" font-size="11">',
        f'<rect width="100%" height="{height:.0f}" fill="white"/>',
        f'<text x="{_LEFT:.0f}" y="14" fill="#444">{_LEGEND}</text>',
        *_bands(outcome.faults, wide, line),
    ]
    for second, (well, failed) in enumerate(outcome.seconds):
        left, up, down = _LEFT + second * wide, _UP * well / most, _DOWN * min(1.0, failed / most)
        if well:
            lines.append(f'<rect x="{left:.1f}" y="{line - up:.1f}" width="{wide:.2f}" height="{up:.1f}" fill="{_WELL}"/>')
        if failed:
            lines.append(f'<rect x="{left:.1f}" y="{line:.1f}" width="{wide:.2f}" height="{max(1.0, down):.1f}" fill="{_FAILED}"/>')
    lines += [
        f'<line x1="{_LEFT:.0f}" y1="{line:.0f}" x2="{_LEFT + _WIDTH:.0f}" y2="{line:.0f}" stroke="black"/>',
        f'<text x="{_LEFT - 6:.0f}" y="{_TOP + 10:.0f}" text-anchor="end">{most}</text>',
        f'<text x="{_LEFT - 6:.0f}" y="{line + 4:.0f}" text-anchor="end">0</text>',
        f'<text x="{_LEFT + _WIDTH:.0f}" y="{height - 8:.0f}" text-anchor="end" fill="#444">{count} s</text>',
        "</svg>",
        "",
    ]
    path.write_text("\n".join(lines), encoding="utf-8")


def _bands(faults: Sequence[Happened], wide: float, line: float) -> list[str]:
    lines: list[str] = []
    for number, seen in enumerate(faults, 1):
        if seen.skipped:
            continue
        left = _LEFT + seen.began_s * wide
        for seconds, colour in ((seen.steady_s, _CALM), (seen.harm_s, _BAND)):
            place = f'x="{left:.1f}" y="{_TOP:.0f}" width="{max(1.0, seconds * wide):.1f}" height="{line + _DOWN - _TOP:.0f}"'
            lines.append(f'<rect {place} fill="{colour}"/>')
        lines.append(f'<text x="{left:.1f}" y="{_TOP - 4:.0f}" fill="#444">{number}</text>')
    return lines
