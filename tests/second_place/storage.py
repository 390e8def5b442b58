"""A small object storage: what S3 says of conditional writes and lists, and no more."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from hashlib import md5, sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit


class Storage(ThreadingHTTPServer):
    """`heeds` False passes conditions over, as storages did before 2024."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.objects: dict[str, bytes] = {}
        self.lock = threading.Lock()
        self.heeds = True
        self.answers: list[int] = []
        """Statuses to answer the next requests with, whatever they ask."""
        self.page = 3
        self.authorizations: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def _storage(self) -> Storage:
        assert isinstance(self.server, Storage)
        return self.server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base names it
        pass

    def do_GET(self) -> None:
        if self._refused(b""):
            return
        parts = urlsplit(self.path)
        key = unquote(parts.path).removeprefix("/bucket/")
        if not key:
            self._list({name: values[0] for name, values in parse_qs(parts.query).items()})
        elif (data := self._storage.objects.get(key)) is None:
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
        else:
            self._answer(200, data, etag=_etag(data))

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self._refused(body):
            return None
        key = unquote(urlsplit(self.path).path).removeprefix("/bucket/")
        with self._storage.lock:
            there = self._storage.objects.get(key)
            if self._storage.heeds and self.headers.get("If-Match") is not None and there is None:
                return self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
            if self._storage.heeds and (
                (self.headers.get("If-None-Match") == "*" and there is not None)
                or (self.headers.get("If-Match") is not None and there is not None and self.headers["If-Match"] != _etag(there))
            ):
                return self._answer(412, b"<Error><Code>PreconditionFailed</Code></Error>")
            self._storage.objects[key] = body
        return self._answer(200, b"", etag=_etag(body))

    def _list(self, asked: dict[str, str]) -> None:
        keys = sorted(k for k in self._storage.objects if k.startswith(asked.get("prefix", "")) and k > asked.get("start-after", ""))
        shown = "".join(f"<Contents><Key>{key}</Key></Contents>" for key in keys[: self._storage.page])
        more = str(len(keys) > self._storage.page).lower()
        self._answer(200, f"<ListBucketResult><IsTruncated>{more}</IsTruncated>{shown}</ListBucketResult>".encode())

    def _refused(self, body: bytes) -> bool:
        self._storage.authorizations.append(self.headers.get("Authorization", ""))
        if self._storage.answers:
            self._answer(self._storage.answers.pop(0), b"<Error/>")
        elif self.headers.get("x-amz-content-sha256") != sha256(body).hexdigest():
            self._answer(400, b"<Error><Code>XAmzContentSHA256Mismatch</Code></Error>")
        else:
            return False
        return True

    def _answer(self, status: int, body: bytes, *, etag: str | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if etag is not None:
            self.send_header("ETag", etag)
        self.end_headers()
        self.wfile.write(body)


def _etag(data: bytes) -> str:
    return f'"{md5(data, usedforsecurity=False).hexdigest()}"'


@contextmanager
def storage() -> Generator[Storage, None, None]:
    server = Storage()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
