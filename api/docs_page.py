"""The pages that describe the API, written from its OpenAPI description. Everything that is put in is escaped."""

from functools import lru_cache
from html import escape
from typing import Any

import msgspec

from api.problems import CONTENT_TYPE, STATUS

STYLE = """
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 18%, transparent); }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
code, pre { font: 0.9em/1.5 ui-monospace, monospace; }
pre { overflow-x: auto; padding: 0.75rem; border: 1px solid var(--line); border-radius: 0.4rem; white-space: pre-wrap; }
details { border: 1px solid var(--line); border-radius: 0.4rem; margin: 0.4rem 0; padding: 0.4rem 0.8rem; }
summary { cursor: pointer; }
summary b { display: inline-block; min-width: 4.5rem; text-transform: uppercase; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; border-top: 1px solid var(--line); padding: 0.3rem 0.6rem 0.3rem 0; }
td p { margin: 0; }
h2 { margin-top: 2.5rem; text-transform: capitalize; }
""".strip()

_HEAD = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    '<title>{title}</title><link rel="stylesheet" href="/docs/page.css"></head><body>'
)


def page_of(described: dict[str, Any]) -> str:
    return _page_of(msgspec.json.encode(described))


@lru_cache(maxsize=1)
def _page_of(encoded: bytes) -> str:
    described: dict[str, Any] = msgspec.json.decode(encoded)
    parts = [_HEAD.format(title="Minos API"), "<h1>Minos API</h1>", _text(described["info"]["description"])]
    parts.append('<p><a href="/openapi.json">openapi.json</a> · <a href="/asyncapi.json">asyncapi.json</a>, of what is sent to services · ')
    parts.append('<a href="/docs/problems">problems</a> · <a href="#Problem">their shape</a></p>')
    by_tag: dict[str, list[str]] = {}
    for path, item in described["paths"].items():
        for method, operation in item.items():
            by_tag.setdefault(operation["tags"][0], []).append(_operation(path, method, operation))
    for tag, operations in by_tag.items():
        parts += [f"<h2>{escape(tag)}</h2>", *operations]
    parts.append("<h2>shapes</h2>")
    parts += [_shape(name, schema) for name, schema in sorted(described["components"]["schemas"].items())]
    return "".join(parts) + "</body></html>"


@lru_cache(maxsize=1)
def problems_page() -> str:
    rows = [
        f'<tr id="{escape(kind.code)}"><td><code>{escape(kind.code)}</code></td><td>{status}</td><td>{escape(kind.detail)}</td></tr>'
        for kind, status in sorted(STATUS.items(), key=lambda row: row[0].code)
    ]
    table = f"<table><tr><th>code</th><th>status</th><th>meaning</th></tr>{''.join(rows)}</table>"
    return (
        f"{_HEAD.format(title='Minos problems')}<h1>Problems</h1><p>What the <code>code</code> of a refusal means.</p>{table}</body></html>"
    )


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    parts = [f"<details><summary><b>{escape(method)}</b> <code>{escape(path)}</code> {escape(operation.get('summary', ''))}</summary>"]
    parts.append(_text(operation.get("description", "")))
    parts += [_row_table("parameter", [_parameter(p) for p in operation.get("parameters", [])])]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    if body is not None:
        parts.append(f"<p>Body: {_schema(body)}</p>")
    parts.append(_row_table("answer", [_response(status, r) for status, r in sorted(operation["responses"].items())]))
    return "".join(parts) + "</details>"


def _parameter(parameter: dict[str, Any]) -> tuple[str, str]:
    return f"{parameter['name']} ({parameter['in']})", _text(parameter.get("description", ""))


def _response(status: str, response: dict[str, Any]) -> tuple[str, str]:
    schemas = [content["schema"] for kind, content in response.get("content", {}).items() if kind != CONTENT_TYPE and "schema" in content]
    shapes = "".join(_schema(schema) for schema in schemas)  # the shape of a problem is said once, at the top
    return status, _text(response.get("description", "")) + shapes


def _row_table(head: str, rows: list[tuple[str, str]]) -> str:
    if not rows:
        return ""
    inner = "".join(f"<tr><td><code>{escape(name)}</code></td><td>{html}</td></tr>" for name, html in rows)
    return f"<table><tr><th>{head}</th><th></th></tr>{inner}</table>"


def _schema(schema: dict[str, Any]) -> str:
    if (ref := schema.get("$ref")) is not None:
        name = escape(ref.rsplit("/", 1)[-1])
        return f'<a href="#{name}"><code>{name}</code></a>'
    return f"<code>{escape(msgspec.json.encode(schema).decode())}</code>"


def _shape(name: str, schema: dict[str, Any]) -> str:
    written = msgspec.json.format(msgspec.json.encode(schema), indent=2).decode()
    # A browser opens the details that a link leads into, not those it leads to.
    return f'<details><summary><code>{escape(name)}</code></summary><pre id="{escape(name)}">{escape(written)}</pre></details>'


def _text(text: str) -> str:
    return "".join(f"<p>{_coded(paragraph)}</p>" for paragraph in text.split("\n\n") if paragraph)


def _coded(paragraph: str) -> str:
    return "".join(f"<code>{escape(part)}</code>" if i % 2 else escape(part) for i, part in enumerate(paragraph.split("`")))
