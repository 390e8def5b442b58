"""Witnesses over HTTP in this process, that also do what no honest one does."""

import ssl
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from adapters.note_keys import WitnessKey
from adapters.witness.folder import Home
from adapters.witness.witness import Answer, Witness
from domain.tree.note import VerifierKey

Mischief = Callable[[bytes, Callable[[bytes], Answer]], Answer]


class ServedWitness:
    """`mischief` answers in its place, and may ask it."""

    def __init__(self, name: str, folder: Path, log: VerifierKey) -> None:
        self.home = Home(folder=folder / name)
        self.key: WitnessKey = self.home.make(f"{name}.example.org")
        (self.home.folder / "logs").write_text(f"log {log.line()}\nquorum none\n")
        self.name, self.url = name, ""
        self.mischief: Mischief | None = None
        self.requests = 0

    @property
    def line(self) -> str:
        return f"witness {self.name} {self.key.public.line()} {self.url}\n"

    def answer(self, raw: bytes) -> Answer:
        self.requests += 1
        return self.mischief(raw, self.honest) if self.mischief else self.honest(raw)

    def honest(self, raw: bytes) -> Answer:
        memory = self.home.memory(self.key)
        try:
            return Witness(self.key, self.home.logs(), memory, clock=time.time).add(raw)
        finally:
            memory.close()

    @property
    def size(self) -> int:
        memory = self.home.memory(self.key)
        try:
            return memory.seen(self.home.logs().logs[0].key.name).size
        finally:
            memory.close()


@contextmanager
def serving(witness: ServedWitness, tls: ssl.SSLContext | None = None) -> Generator[ServedWitness]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            answer = witness.answer(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.media_type)
            self.end_headers()
            self.wfile.write(answer.body.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has there
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    witness.url = f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}/prefix/"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield witness
    finally:
        server.shutdown()
        server.server_close()
