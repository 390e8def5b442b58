"""One bash that lives through a document, so that variables and functions set in one block are there in the next."""

import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from secrets import token_hex
from typing import Self

DEADLINE_S = 60.0


class Shell:
    """Runs commands in `folder` one after the other. Use as a context; leaving it ends the shell and what it started."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._mark = f"done-{token_hex(8)}"
        self._bash = subprocess.Popen(
            ["/bin/bash", "--noprofile", "--norc"],
            cwd=folder,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        if self._bash.stdin is None or self._bash.stdout is None:
            raise RuntimeError("bash was started without pipes")
        self._typed, self._printed = self._bash.stdin, self._bash.stdout

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.killpg(self._bash.pid, signal.SIGKILL)  # with whatever it left in the background
        self._bash.wait()
        self._typed.close()
        self._printed.close()

    def run(self, command: str) -> tuple[str, int]:
        """Give what it printed, both outputs as they came, and its exit code. Raises TimeoutError after a minute."""
        self._typed.write(f"{{ {command}\n}} </dev/null\nprintf '\\n{self._mark} %s\\n' $?\n".encode())
        self._typed.flush()
        text = self._read_to_mark(command)
        output, _, code = text.partition(f"\n{self._mark} ")
        return output, int(code)

    def _read_to_mark(self, command: str) -> str:
        deadline = time.monotonic() + DEADLINE_S
        seen = b""
        while not (f"\n{self._mark} ".encode() in seen and seen.endswith(b"\n")):
            readable, _, _ = select.select([self._printed], [], [], max(0.0, deadline - time.monotonic()))
            if not readable:
                raise TimeoutError(f"still running after {DEADLINE_S:.0f} s: {command}\n{seen.decode(errors='replace')}")
            piece = os.read(self._printed.fileno(), 65_536)
            if not piece:
                raise EOFError(f"the shell ended: {command}\n{seen.decode(errors='replace')}")
            seen += piece
        return seen.decode(errors="replace")
