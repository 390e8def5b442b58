"""The `minos` command: one module per subcommand, imported only when it is the one asked for."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import NoReturn

from cli.command import COULD_NOT, DONE, NotAccepted

COMMANDS = (
    "up",
    "serve",
    "work",
    "migrate",
    "doctor",
    "settings",
    "limits",
    "admin",
    "users",
    "invitations",
    "roles",
    "audiences",
    "factor-policy",
    "service-accounts",
    "service-token",
    "api-keys",
    "sessions",
    "keys",
    "nats-keys",
    "mail",
    "projections",
    "events",
    "audit",
    "log",
    "witness",
    "retention",
    "backup",
    "restore",
    "bench",
)
"""Each names a module of this package with `add(subparsers)`, which gives its parser, and `run(args)`, which gives the exit code."""


def run() -> NoReturn:
    """Be the console script."""
    sys.exit(main(sys.argv[1:]))


def main(argv: Sequence[str]) -> int:
    """Run one command and give its exit code. What went wrong is said on stderr, in one or few lines, without a traceback."""
    code = DONE
    try:
        if not argv:
            _parser(argv).print_help(sys.stderr)
            return COULD_NOT
        code = _done(argv)
        _flush()  # here, where what fails can still be told
        return code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # our reader went away, as `head` does; what a command that had ended found stays true
        _let_go_of_output()
        return code
    except Exception as error:  # the edge of the program: the operator gets words, the exit code says it failed
        from cli.explained import explained

        _let_go_of_output()
        text = explained(error)
        if text is None:
            raise
        print(f"minos: {text}", file=sys.stderr)
        return COULD_NOT


def _done(argv: Sequence[str]) -> int:
    try:
        arguments = _parsed(argv)
    except SystemExit as ended:  # argparse has answered itself, as to --help
        return int(ended.code or DONE)
    command: Callable[[argparse.Namespace], int] = arguments.run
    _load_structlog()
    return command(arguments)


def _load_structlog() -> None:
    """Without rich, which it loads where that is installed, for tracebacks in colour that Minos never draws: a third of a start."""
    if "rich" not in sys.modules:
        sys.modules["rich"] = None  # type: ignore[assignment] # pyright: ignore[reportArgumentType]
        import_module("structlog")
        del sys.modules["rich"]


def _flush() -> None:
    if sys.stdout is not None:  # it is, where the shell has closed it
        sys.stdout.flush()


def _let_go_of_output() -> None:
    """Write what can be written and let the rest go: the interpreter would try again at its end, and exit with 120 (docs, SIGPIPE)."""
    try:
        _flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parsed(argv: Sequence[str]) -> argparse.Namespace:
    """Refuse what argparse has no place for, as an optional argument behind an option: `surplus` is a command's own word for that."""
    parser = _parser(argv)
    arguments, surplus = parser.parse_known_args(argv)
    if surplus and hasattr(arguments, "surplus") and not any(part.startswith("-") for part in surplus):
        raise NotAccepted(arguments.surplus)
    if surplus:
        parser.error(f"unrecognized arguments: {' '.join(surplus)}")
    return arguments


def _parser(argv: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="minos",
        description="An event-sourced authentication authority.",
        epilog="Start with: minos up",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=_version() if "--version" in argv else "")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    wanted = [argv[0]] if argv and argv[0] in COMMANDS else COMMANDS
    for name in wanted:
        module = import_module(f"cli.{name.replace('-', '_')}")
        module.add(commands).set_defaults(run=module.run)
    return parser


def _version() -> str:
    from importlib.metadata import version

    return f"minos {version('minos')}"


if __name__ == "__main__":
    run()
