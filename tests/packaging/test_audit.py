"""The audit of dependencies, asked of a service that answers as OSV does: one that knows nothing, one that knows something, and none."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.packaging.uv import FOUND, needs_uv

ROOT = Path(__file__).parents[2]
KNOWN = {"id": "TEST-2026-1", "summary": "It lets everybody in", "modified": "2026-01-01T00:00:00Z"}

pytestmark = needs_uv


@contextmanager
def osv(known: dict[str, Any] | None) -> Iterator[str]:
    """Give the URL of a service that knows `known` of msgspec, and of nothing else."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
            self._tell({"results": [{"vulns": [known]} if known and "msgspec" in str(one) else {} for one in asked]})

        def do_GET(self) -> None:
            self._tell({**(known or {}), "affected": []})

        def _tell(self, answer: dict[str, Any]) -> None:
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def audited(url: str, **settings: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(FOUND or '').parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "NO_PROXY": "127.0.0.1", **settings}
    command = [ROOT / ".ci" / "audit", "--service-url", url]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)


def test_it_passes_where_nothing_is_known() -> None:
    with osv(None) as url:
        done = audited(url, AUDIT_REQUIRED="1")
    assert (done.returncode, "NOT DONE" in done.stderr) == (0, False), done.stderr


def test_it_fails_where_something_is() -> None:
    with osv(KNOWN) as url:
        done = audited(url)
    assert done.returncode == 1, done.stderr
    assert "TEST-2026-1" in done.stdout + done.stderr


@pytest.mark.parametrize(("required", "code"), [("0", 0), ("1", 1)], ids=["a look", "a release"])
def test_it_says_that_nobody_could_be_asked(required: str, code: int) -> None:
    done = audited("http://127.0.0.1:9", AUDIT_REQUIRED=required)
    assert "NOT DONE" in done.stderr
    assert done.returncode == code
