"""Compares output with what a document shows, past everything that differs from run to run."""

import re
from collections.abc import Sequence

ANY_LINES = "..."
"""A line of its own: any number of lines may stand there."""
ANY_TEXT = "…"
"""Inside a line: any text may stand there."""

_MASKS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), mask)
    for pattern, mask in (
        (r'("jti": ")[\w-]+', r"\1<id>"),
        (r"eyJ[\w.-]+…?", "<token>"),
        (r"\b(mrt|mdv|mch)_[\w.-]+…?", r"<\1>"),
        (r"\bclient_[a-z2-7]{26}\b", "<client>"),
        (r"\b(?:mcs|mk_(?:dev|live)_[0-9a-f]{32})_?[0-9A-Za-z]{49}\b", "<secret>"),
        (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<id>"),
        (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d(:\d\d)?)?", "<time>"),
        (r"\b[A-Z2-7]{4,6}(-[A-Z2-7]{2,6}){4,}\b", "<code>"),
        (r"[\w-]{43,}…?", "<key>"),
        (r"\b1[789]\d{8}\b", "<seconds>"),
        (r"\b\d+(\.\d+)? ?(s|ms)\b", "<time>"),
        (r"\bpid \d+", "pid <n>"),
        (r'("age_ms": ?|minos-age-ms: )\d+', r"\1<n>"),
        (r"[ \t]+", " "),
    )
)


def masked(text: str) -> str:
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return text.strip()


def matches(expected: Sequence[str], output: str) -> bool:
    """Tell whether the output is what was said, with ids, times, tokens and spacing left out of account."""
    pattern = "".join(r"(?:.*\n)*?" if line.strip() == ANY_LINES else _line(line) for line in expected if line.strip())
    actual = "".join(f"{masked(line)}\n" for line in output.splitlines() if line.strip())
    return re.fullmatch(pattern, actual) is not None


def shortened(output: str) -> str:
    """Cut tokens down to what a reader needs to see of them."""
    return re.sub(r"\b((?:eyJ|mrt_|mdv_|mch_)[\w-]{8})[\w.-]{12,}", rf"\1{ANY_TEXT}", output)


def _line(line: str) -> str:
    return re.escape(masked(line)).replace(re.escape(ANY_TEXT), ".*?") + "\n"
