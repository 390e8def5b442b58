"""One `minos up` as a program of its own, for tests that look at it from outside."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

MINOS = Path(sys.executable).with_name("minos")
DEADLINE_S = 40.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(data: Path, **more: str) -> dict[str, str]:
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("MINOS_", "PROMETHEUS_"))}
    ports = {"MINOS_PORT": str(free_port()), "MINOS_METRICS_PORT": str(free_port())}
    return kept | ports | {"MINOS_DATA_DIR": str(data), "MINOS_LOG_FORMAT": "json"} | more


def _hear_a_hang_up() -> None:
    """Tests started under nohup hand on that SIGHUP is ignored, and `up` heeds that."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


class Authority:
    """Starts with `start`, which waits for `ready in`; `output` is all it has printed so far."""

    def __init__(self, data: Path, **settings: str) -> None:
        self.data = data
        self.environment = environment(data, **settings)
        self.url = f"http://127.0.0.1:{self.environment['MINOS_PORT']}"
        self.metrics_url = f"http://127.0.0.1:{self.environment['MINOS_METRICS_PORT']}/metrics"
        self._log = data.parent / f"{data.name}.out"
        self.program: subprocess.Popen[bytes] | None = None

    @property
    def output(self) -> str:
        return self._log.read_text()

    def start(self) -> float:
        """Give the seconds it took until it said it was ready."""
        began = time.monotonic()
        self.launch()
        self.wait_for(r"ready in [0-9.]+ s")
        return time.monotonic() - began

    def launch(self) -> None:
        with self._log.open("wb") as log:
            self.program = subprocess.Popen(
                [MINOS, "up"],
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=_hear_a_hang_up,  # noqa: PLW1509 - it takes no lock
            )

    def wait_for(self, pattern: str, *, times: int = 1) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while len(re.findall(pattern, self.output)) < times:
            assert self.program is not None
            assert self.program.poll() is None, self.output
            assert time.monotonic() < deadline, self.output
            time.sleep(0.02)

    def pid_of(self, part: str) -> int:
        return int(re.findall(rf"^{part}: running .*pid (\d+)", self.output, re.MULTILINE)[-1])

    def stop(self, sig: signal.Signals = signal.SIGINT) -> tuple[int, float]:
        """Give its exit code and the seconds it took."""
        assert self.program is not None
        began = time.monotonic()
        self.program.send_signal(sig)
        return self.program.wait(DEADLINE_S), time.monotonic() - began

    def end(self) -> None:
        """Whatever state it is in, let nothing stay. The kernel ends its children."""
        if self.program is not None and self.program.poll() is None:
            self.program.kill()
            self.program.wait(DEADLINE_S)

    def call(self, method: str, path: str, body: object = None, token: str = "") -> tuple[int, object]:
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, method=method, data=content, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, json.loads(refused.read() or b"null")

    def code(self) -> str:
        found = re.findall(r"^bootstrap code: (\S+)$", self.output, re.MULTILINE)
        return str(found[-1])
