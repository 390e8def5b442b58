"""nginx as Debian builds it."""

from pathlib import Path

from bench import debian


def found() -> Path | str:
    """Give the program, or why there is none."""
    return debian.found("nginx", "usr/sbin/nginx", version="-v")
