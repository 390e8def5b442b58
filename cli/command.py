"""What a subcommand is made of: where it adds itself, and what its exit code says."""

import argparse
from collections.abc import Callable
from typing import TypeAlias

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001 - has no public name

DONE = 0
NO = 1
"""The answer is no: a proof fails, a check finds something."""
COULD_NOT = 2


class NotAccepted(Exception):
    """Arguments are not of the form asked for. The message says what they may be."""


def at_least(lowest: int, at_most: int = 10**15) -> Callable[[str], int]:
    """Give the type of an argument that is a whole number within bounds; what is larger neither the database nor NATS would take."""

    def number(text: str) -> int:
        value = int(text)
        if value < lowest:
            raise argparse.ArgumentTypeError(f"must be at least {lowest}, not {value}")
        if value > at_most:
            raise argparse.ArgumentTypeError(f"must be at most {at_most}, not {value}")
        return value

    return number
