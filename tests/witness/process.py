"""`minos witness serve` as a process of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def witness_process(folder: Path, port: int) -> Generator[subprocess.Popen[bytes]]:
    """Runs until the end of the block, unless it is killed before."""
    command = [sys.executable, "-m", "cli.main", "witness", "serve", str(folder), "--port", str(port)]
    process = subprocess.Popen(command, start_new_session=True)
    try:
        _await_answer(process, f"http://127.0.0.1:{port}/add-checkpoint")
        yield process
    finally:
        process.terminate()
        process.wait(10)


def kill(process: subprocess.Popen[bytes]) -> None:
    """All of it at once, as a power cut would."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)


def _await_answer(process: subprocess.Popen[bytes], url: str) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            httpx.get(url)
        except httpx.TransportError:
            assert process.poll() is None, "it ended"
            assert time.monotonic() < until
            time.sleep(0.02)
        else:
            return
