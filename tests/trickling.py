"""A server that answers a byte now and then, each in time, and never comes to an end."""

import socket
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

BEGINNINGS = (
    b"HTTP/1.1 200 OK\r\nX-Name: ",
    b"HTTP/1.0 200 OK\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n",
)
"""Of a head, of a body without an end, and of one whose length is told."""


@dataclass
class Trickling:
    port: int
    ended: threading.Event = field(default_factory=threading.Event)
    """The first who asked has hung up."""

    def was_hung_up_on(self) -> bool:
        return self.ended.wait(10)


@contextmanager
def trickling(begins: bytes) -> Generator[Trickling]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        found = Trickling(server.getsockname()[1])

        def answer(connection: socket.socket) -> None:
            with suppress(OSError), connection:
                connection.sendall(begins)
                while True:
                    connection.sendall(b"X")
                    time.sleep(0.02)
            found.ended.set()

        def serve() -> None:
            with suppress(OSError):
                while True:
                    threading.Thread(target=answer, args=(server.accept()[0],), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield found
        finally:
            server.shutdown(socket.SHUT_RDWR)
