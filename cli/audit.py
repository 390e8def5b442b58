"""`minos audit`: what the log says of the past, and whether it can be believed. Each action is a module of `cli.audit_actions`."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from importlib import import_module

from cli.command import Commands

ACTIONS = ("checkpoint", "key", "verify", "export", "replay", "prove", "explain", "at", "diff", "token")
"""Each has `add(actions)` and `async act(args)`, which gives the exit code."""


def add(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "audit",
        help="read the past",
        description="What the log says of the past.",
        epilog="example: minos audit replay --type session --since 2026-11-01T00:00:00Z",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name in ACTIONS:
        import_module(f"cli.audit_actions.{name}").add(actions)
    return parser


def run(args: argparse.Namespace) -> int:
    act: Callable[[argparse.Namespace], Awaitable[int]] = import_module(f"cli.audit_actions.{args.action}").act

    async def acted() -> int:
        return await act(args)

    return asyncio.run(acted())
