"""The hashing process. `python -m adapters.hashing.process`, with a socket for its input: see adapters.hashing.wire.

It imports little, since each process of the API has one. It ends when the other side of the socket is closed, which the
kernel does for a service that is killed; signals are for the service, which knows when nobody needs hashes any more.
"""

import argparse
import ctypes
import os
import resource
import select
import signal
import socket
import sys
import threading
from contextlib import suppress

from adapters.giving_way import give_way, take_short_turns
from adapters.hashing import stored, wire
from adapters.hashing.argon2id import Argon2id
from adapters.orphaned import die_with_parent

IDLE_S = 1.0
"""After so long without a request the memory of hashes goes back to the machine. Before, each thread keeps it for its next
one: getting 19 MiB of fresh pages costs a third of a hash."""
TURN_NS = 100_000
"""The shortest there is: what wakes while every core hashes has the less of a turn to wait for (docs/adr, 18)."""


class Requests:
    """The service's requests, each taken by whichever thread is free."""

    def __init__(self, service: socket.socket) -> None:
        self._service = service
        self._coming = select.poll()
        self._coming.register(service, select.POLLIN)
        self._taking, self._answering = threading.Lock(), threading.Lock()

    def take(self) -> wire.Request | None:
        """Wait for one. None when there will be none any more."""
        with self._taking:
            if not self._coming.poll(IDLE_S * 1_000):
                _trim()
                self._coming.poll()
            with suppress(ConnectionError):
                return wire.read_request(lambda size: self._service.recv(size, socket.MSG_WAITALL) if size else b"")
            return None

    def answer(self, number: int, outcome: bytes) -> None:
        with self._answering, suppress(ConnectionError):
            self._service.sendall(wire.answer(number, outcome))


def work(requests: Requests, argon2id: Argon2id) -> None:
    """Answer until there is nobody to answer. What nobody expected ends the process: the service starts another and asks again,
    where a thread that is gone would leave it waiting."""
    take_short_turns(TURN_NS)
    try:
        while (request := requests.take()) is not None:
            requests.answer(request.number, _outcome(request, argon2id))
    except BaseException as error:  # noqa: BLE001 - and without its words, which may be a password's
        print(f"minos: the hashing process ends: {type(error).__name__}", file=sys.stderr, flush=True)  # noqa: T201
        os._exit(1)


def main() -> None:
    parser = argparse.ArgumentParser()
    for option in ("--memory-kib", "--passes", "--threads", "--niceness", "--parent"):
        parser.add_argument(option, type=int, required=True)
    options = parser.parse_args()
    die_with_parent(signal.SIGKILL)  # also where we were stopped, and cannot see its end of the socket close
    if os.getppid() != options.parent:
        os._exit(1)
    for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sig, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # what it has in memory are passwords
    give_way(options.niceness)
    requests = Requests(socket.socket(fileno=sys.stdin.fileno()))
    argon2id = Argon2id(memory_kib=options.memory_kib, passes=options.passes)
    threads = [threading.Thread(target=work, args=(requests, argon2id)) for _ in range(options.threads)]
    for thread in threads:
        thread.start()
    requests.answer(wire.READY, b"")
    for thread in threads:
        thread.join()


def _outcome(request: wire.Request, argon2id: Argon2id) -> bytes:
    try:
        if request.asked is wire.Asked.STRENGTH:
            from adapters.hashing.strength import estimate  # a dictionary of its own, for those who ask

            return estimate(request.password, request.about.splitlines())
        if not request.about:
            return argon2id.hash(request.password).encode()
        return wire.MATCHES if stored.matches(request.about, request.password, argon2id) else wire.DIFFERS
    except MemoryError:
        return wire.FAILED


def _trim() -> None:
    """Hand what malloc keeps free back to the machine. glibc only (malloc_trim(3)); others keep it or do so by themselves."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)


if __name__ == "__main__":
    main()
