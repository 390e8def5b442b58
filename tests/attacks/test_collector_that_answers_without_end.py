"""Whoever answers in a collector's place fills nobody's memory, and sends what was meant for it nowhere else."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from adapters.telemetry import outgoing

requests = pytest.importorskip("requests")
MEGABYTES = 64


class Evil(BaseHTTPRequestHandler):
    written = 0
    asked: list[str]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        type(self).asked.append(self.path)
        if self.path == "/moved":
            self.send_response(307)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif self.path == "/elsewhere":
            self.send_error(400)
        else:
            self._say(MEGABYTES * 2**20 if self.path == "/endless" else 100)

    def _say(self, size: int) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(size))
        self.end_headers()
        try:
            while size > 0:
                size -= self.wfile.write(b"x" * min(size, 65_536))
                type(self).written += 65_536
        except OSError:
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has there
        pass


@pytest.fixture
def url() -> Iterator[str]:
    Evil.written, Evil.asked = 0, []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Evil)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_answer_without_end_is_not_read(url: str) -> None:
    with pytest.raises(requests.exceptions.RequestException):
        outgoing.session().post(f"{url}/endless", data=b"x")
    assert Evil.written < MEGABYTES * 2**20 / 2, "what the kernel holds, and no more"


def test_a_redirection_is_not_followed(url: str) -> None:
    assert outgoing.session().post(f"{url}/moved", data=b"x").status_code == 307
    assert Evil.asked == ["/moved"]


def test_an_answer_is_read(url: str) -> None:
    assert outgoing.session().post(f"{url}/v1/traces", data=b"x").content == b"x" * 100
