"""Opens what settings and folders name only where it is a plain file: a pipe may never say anything, and a device has no end."""

import errno
import os
import stat
from collections.abc import Callable
from io import BufferedReader
from pathlib import Path


class NoPlainFile(OSError):
    """Neither a folder nor a file that was written and lies there."""


class TooLarge(OSError):
    """More than anybody means to say there."""


def opened(path: Path, *, through_links: bool = True) -> BufferedReader:
    """Raises NoPlainFile, and OSError where it is a folder, or a link that is not to be followed."""
    return open(path, "rb", opener=_opener(os.O_NONBLOCK if through_links else os.O_NONBLOCK | os.O_NOFOLLOW))


def small(path: Path, *, most: int) -> bytes:
    """Read all of it. Raises NoPlainFile, TooLarge beyond so many bytes, OSError."""
    with opened(path) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise TooLarge(errno.EFBIG, f"it is larger than {most // 1024} KiB", str(path))
    return data


def _opener(more: int) -> Callable[[str, int], int]:
    def plain(path: str, flags: int) -> int:
        fd = os.open(path, flags | more)
        kind = os.fstat(fd).st_mode
        if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):  # of a folder, whoever opens it is told so
            os.close(fd)
            raise NoPlainFile(errno.EINVAL, "it is no plain file", path)
        return fd

    return plain
