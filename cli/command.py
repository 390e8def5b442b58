"""What a subcommand is made of: where it adds itself, and what its exit code says."""

import argparse
from typing import TypeAlias

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001 - has no public name

DONE = 0
NO = 1
"""The answer is no: a proof fails, a check finds something."""
COULD_NOT = 2
