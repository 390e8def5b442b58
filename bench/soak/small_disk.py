"""A small file system for the database's folder, seen by this program and its children alone: the kernel removes it when we end."""

import ctypes
import os
import shutil
import subprocess
from pathlib import Path

SIZE = 4 * 2**30
_SPARE = 2 * SIZE
_CLONE_NEWNS = 0x20000


class SmallDisk:
    """`mounted` is what it is made of, or why there is none; then `is_there` is False."""

    def __init__(self, folder: Path, image: Path) -> None:
        self.folder, self._image = folder, image
        self._ballast = folder / "ballast"
        self.is_there = False
        self.mounted = self._mount()

    def fill(self) -> None:
        """Take all the room there is."""
        with self._ballast.open("ab") as file:
            free = os.statvfs(self.folder)
            step, size = 64 * 2**20, 0
            left = free.f_bavail * free.f_frsize
            while step >= 4096:
                try:
                    if size + step > left:
                        raise OSError
                    os.posix_fallocate(file.fileno(), size, step)
                    size += step
                except OSError:
                    step //= 2

    def make_room(self) -> None:
        self._ballast.unlink(missing_ok=True)

    def leave(self) -> None:
        if self.is_there:
            self.make_room()
            subprocess.run(["umount", "--lazy", str(self.folder)], check=False)  # noqa: S603, S607
        self._image.unlink(missing_ok=True)

    def _mount(self) -> str:
        if os.geteuid():
            return "mounting takes root"
        missing = [name for name in ("mount", "mkfs.ext4") if shutil.which(name) is None]
        if missing:
            return f"there is no {missing[0]}"
        if shutil.disk_usage(self._image.parent).free < _SPARE:
            return f"less than {_SPARE >> 30} GiB are free"
        if not _apart():
            return "the kernel gives us no mount namespace of our own"
        self.folder.mkdir(mode=0o700, parents=True)
        with self._image.open("wb") as image:
            image.truncate(SIZE)
        for command in (["mkfs.ext4", "-q", "-m", "0", str(self._image)], ["mount", "-o", "loop", str(self._image), str(self.folder)]):
            done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603
            if done.returncode:
                return f"{command[0]}: {done.stderr.strip()}"
        self.folder.chmod(0o700)
        self.is_there = True
        return f"ext4 of {SIZE >> 30} GiB in a file"


def _apart() -> bool:
    """Take a mount namespace of our own, so that nobody else sees what we mount. For a program with one thread."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNS):
        return False
    private = subprocess.run(["mount", "--make-rprivate", "/"], check=False, capture_output=True)  # noqa: S607
    return private.returncode == 0
