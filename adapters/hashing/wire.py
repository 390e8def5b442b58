"""What the service and its hashing process say to each other, over one stream socket. Answers come in any order.

A request is its number, the length of the stored hash (0: make a new one) and of the password, then both in UTF-8.
An answer is the number of its request and a length, then MATCHES, DIFFERS, FAILED or the new hash.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from struct import Struct

MATCHES, DIFFERS, FAILED = b"+", b"-", b""
READY = 0
"""The number of an answer nobody asked for: the process has begun."""

_REQUEST = Struct("!III")
_ANSWER = Struct("!II")


@dataclass(frozen=True, slots=True)
class Request:
    number: int
    encoded: str = field(repr=False)
    """Empty to ask for a new hash."""
    password: str = field(repr=False)


def request(asked: Request) -> bytes:
    encoded, password = asked.encoded.encode(), asked.password.encode("utf-8", "surrogatepass")
    return _REQUEST.pack(asked.number, len(encoded), len(password)) + encoded + password


def read_request(read: Callable[[int], bytes]) -> Request | None:
    """Take the next one; `read` gives exactly so many bytes, or fewer where the other side is gone: then None."""
    head = read(_REQUEST.size)
    if len(head) < _REQUEST.size:
        return None
    number, hash_length, length = _REQUEST.unpack(head)
    body = read(hash_length + length)
    if len(body) < hash_length + length:
        return None
    return Request(number, body[:hash_length].decode(), body[hash_length:].decode("utf-8", "surrogatepass"))


def answer(number: int, outcome: bytes) -> bytes:
    return _ANSWER.pack(number, len(outcome)) + outcome


def take_answers(received: bytearray) -> Iterator[tuple[int, bytes]]:
    """Take whole answers off the front of what was received, and leave the rest for the next time."""
    while len(received) >= _ANSWER.size:
        number, length = _ANSWER.unpack_from(received)
        end = _ANSWER.size + length
        if len(received) < end:
            return
        outcome = bytes(received[_ANSWER.size : end])
        del received[:end]
        yield number, outcome
