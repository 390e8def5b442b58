"""nginx as Debian builds it."""

from pathlib import Path

from tests import debian


def found() -> Path | str:
    """Give the program, or why there is none."""
    return debian.found("nginx", "usr/sbin/nginx", version="-v")
