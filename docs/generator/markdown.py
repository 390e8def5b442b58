"""The little Markdown the generated pages need."""

from collections.abc import Iterable, Sequence

NOTICE = "<!-- Made from the code by `python -m docs.generate`; edits here are lost. -->"


def document(title: str, *parts: str) -> str:
    return "\n\n".join([f"# {title}", NOTICE, *(part.strip() for part in parts)]) + "\n"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [_row(heads), _row(["---"] * len(heads))]
    return "\n".join([*lines, *(_row([_cell(text) for text in row]) for row in rows)])


def code(text: str) -> str:
    return f"`{text}`" if text else ""


def one_line(text: str | None) -> str:
    return " ".join((text or "").split())


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
