"""A real `./minos up` on free ports in an empty folder, for one document."""

import os
import re
import select
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
READY_S = 60.0
_READY = re.compile(rb"^ready in .*$", re.MULTILINE)


class Authority:
    """`folder` looks like a clone: it has links to the wrapper and to what that installed. `start` is the document's `./minos up`."""

    def __init__(self, folder: Path, more: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.port, self.metrics_port = free_ports(2)
        self.environment = {
            "MINOS_PORT": str(self.port),
            "MINOS_METRICS_PORT": str(self.metrics_port),
            "MINOS_DATA_DIR": str(folder / ".minos"),  # the wrapper would follow its link to our own
            "MINOS_WORKERS": "1",  # however many cores there are
            **(more or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None
        for name in ("minos", ".venv"):
            (folder / name).symlink_to(ROOT / name)

    @property
    def swaps(self) -> dict[str, str]:
        """What stands for our own ports in a document."""
        return {"127.0.0.1:8000": f"127.0.0.1:{self.port}", "127.0.0.1:9464": f"127.0.0.1:{self.metrics_port}"}

    def start(self, arguments: str = "", environment: Mapping[str, str] | None = None) -> str:
        """Give what `up` printed until it was ready. Raises RuntimeError when it ends before, TimeoutError after a minute."""
        with (self.folder / "up.err").open("ab") as told:
            self._process = subprocess.Popen(  # noqa: S603 - our own wrapper, with arguments from our own documents
                ["./minos", "up", *arguments.split()],
                cwd=self.folder,
                env={**os.environ, **self.environment, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=told,
            )
        return self._read_until_ready(self._process)

    def stop(self) -> str:
        """Press Ctrl-C, and give what it printed while stopping."""
        if self._process is None:
            return ""
        process, self._process = self._process, None
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        try:
            output, _ = process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
        return output.decode()

    def _read_until_ready(self, process: subprocess.Popen[bytes]) -> str:
        if process.stdout is None:
            raise RuntimeError("minos up was started without a pipe")
        deadline = time.monotonic() + READY_S
        seen = b""
        while not _READY.search(seen):
            readable, _, _ = select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))
            if not readable:
                self.stop()
                raise TimeoutError(f"not ready after {READY_S:.0f} s:\n{seen.decode()}")
            piece = os.read(process.stdout.fileno(), 65_536)
            if not piece:
                raise RuntimeError(f"minos up ended:\n{seen.decode()}\n{(self.folder / 'up.err').read_text()}")
            seen += piece
        return seen.decode()


def free_ports(n: int) -> list[int]:
    """Give ports nobody had a moment ago, all different."""
    probes = [socket.socket() for _ in range(n)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()
