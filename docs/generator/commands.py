"""`reference/cli.md`, from the command line's own parsers."""

import argparse
from collections.abc import Iterator
from typing import Any, cast

from cli import main as command_line
from docs.generator.markdown import code, document, table

_INTRODUCTION = """
`./minos <command>` from a clone, `minos <command>` where it is installed. Exit codes: 0 done, 1 the answer is no (a check found
something), 2 it could not be done. Every command has `--help`.
"""


def page() -> str:
    parser = command_line._parser([])  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - the whole tree is only there
    return document(
        "Command line", _INTRODUCTION, *(part for name, sub, said in _subcommands(parser) for part in _described(name, sub, said))
    )


def _described(name: str, parser: argparse.ArgumentParser, told: str, level: int = 2) -> Iterator[str]:
    yield f"{'#' * level} minos {name}"
    if said := parser.description or told:
        yield said[0].upper() + said[1:].rstrip(".") + "."
    yield f"```text\n{' '.join(parser.format_usage().removeprefix('usage: ').split())}\n```"
    if rows := list(_arguments(parser)):
        yield table(["Argument", "Meaning"], rows)
    if parser.epilog:
        yield _example(parser.epilog)
    for below, sub, said in _subcommands(parser):
        yield from _described(f"{name} {below}", sub, said, level + 1)


def _example(epilog: str) -> str:
    text = epilog.removeprefix("example:").strip()
    return f"Example: `{text}`" if "\n" not in text else f"Examples:\n\n```text\n{text}\n```"


def _arguments(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str]]:
    for action in parser._actions:  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  - argparse shows them nowhere else
        if action.help == argparse.SUPPRESS or action.dest == "help" or _below(action):
            continue
        names = ", ".join(action.option_strings)
        value = "" if action.nargs == 0 else _value(action)
        yield code(f"{names} {value}".strip()), _help(action)


def _value(action: argparse.Action) -> str:
    if action.choices is not None and action.metavar is None:
        return "{" + ",".join(map(str, action.choices)) + "}"
    shown = action.metavar or (action.dest.upper() if action.option_strings else action.dest)
    return shown if isinstance(shown, str) else " ".join(shown)


def _help(action: argparse.Action) -> str:
    return (action.help or "").replace("%(default)s", str(action.default)).replace("%%", "%")


def _subcommands(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser, str]]:
    """Give name, parser and one-line help of each."""
    for action in parser._actions:  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        said: Any = {shown.dest: shown.help for shown in getattr(action, "_choices_actions", ())}
        yield from ((name, below, said.get(name) or "") for name, below in _below(action).items())


def _below(action: argparse.Action) -> dict[str, argparse.ArgumentParser]:
    """Give the parsers an action leads to; only that of subcommands leads to any."""
    choices: Any = action.choices
    if not isinstance(choices, dict):
        return {}
    return cast("dict[str, argparse.ArgumentParser]", choices)  # argparse keeps it untyped
