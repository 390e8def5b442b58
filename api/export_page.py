"""What is known of a person as a page to read: all of it in one file, without a script, and nothing in it that a browser would fetch."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from html import escape
from typing import Any, cast

import msgspec
from msgspec import Struct

STYLE = """
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 18%, transparent); }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; font-size: 0.9em; }
td, th { text-align: left; vertical-align: top; overflow-wrap: anywhere; }
td, th { border-top: 1px solid var(--line); padding: 0.3rem 0.6rem 0.3rem 0; }
h2 { margin-top: 2.5rem; }
""".strip()
POLICY = (
    f"default-src 'none'; style-src 'sha256-{b64encode(sha256(STYLE.encode()).digest()).decode()}'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_SAVED = POLICY.replace("frame-ancestors 'none'; ", "")  # which a page cannot ask for itself
_HEAD = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    '<meta http-equiv="Content-Security-Policy" content="{policy}"><meta name="referrer" content="no-referrer">'
    "<title>All that is known of this account</title><style>{style}</style></head><body><h1>All that is known of this account</h1>"
)


def page_of(export: Struct) -> bytes:
    """Write every field of it. Whatever its owner or anybody else has put in is escaped, names of fields too."""
    parts = [_HEAD.format(policy=escape(_SAVED), style=STYLE)]
    for name, value in cast("dict[str, Any]", msgspec.to_builtins(export, str_keys=True)).items():
        parts += [f"<h2>{_words(name)}</h2>", _shown(value)]
    parts.append("</body></html>\n")
    return "".join(parts).encode()


def _shown(value: Any) -> str:
    match value:
        case dict():
            rows = cast("Mapping[str, Any]", value)
            return (
                "<table>" + "".join(f"<tr><th>{_words(name)}</th><td>{_shown(each)}</td></tr>" for name, each in rows.items()) + "</table>"
            )
        case list() | tuple():
            return _list(cast("Sequence[Any]", value))
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case _:
            return escape(str(value))


def _list(values: Sequence[Any]) -> str:
    if not values:
        return "none"
    if not all(isinstance(each, dict) for each in values):
        return ", ".join(map(_shown, values))
    rows = cast("Sequence[Mapping[str, Any]]", values)
    names = list(dict.fromkeys(name for row in rows for name in row))
    head = "".join(f"<th>{_words(name)}</th>" for name in names)
    body = "".join("<tr>" + "".join(f"<td>{_shown(row.get(name))}</td>" for name in names) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _words(name: str) -> str:
    return escape(name.replace("_", " "))


def prefers_page(accept: str) -> bool:
    """Tell whether a browser asks, or anybody who would rather read than parse (RFC 9110 12.5.1): a page by name, before JSON."""
    wanted = dict(_weighed(part) for part in accept.split(","))
    page = wanted.get("text/html", 0.0)
    return page > 0 and page >= wanted.get("application/json", 0.0)


def _weighed(part: str) -> tuple[str, float]:
    media, *parameters = (piece.strip().lower() for piece in part.split(";"))
    given = next((parameter.removeprefix("q=") for parameter in parameters if parameter.startswith("q=")), "1")
    try:
        return media, float(given)
    except ValueError:
        return media, 0.0
