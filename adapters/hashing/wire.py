"""What the service and its hashing process say to each other, over one stream socket. Answers come in any order.

A request is its number, what is asked, the length of what it is asked about and of the password, then both in UTF-8.
An answer is the number of its request and a length, then MATCHES, DIFFERS, FAILED, the new hash, or a strength as JSON.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from struct import Struct

MATCHES, DIFFERS, FAILED = b"+", b"-", b""
READY = 0
"""The number of an answer nobody asked for: the process has begun."""

_REQUEST = Struct("!IBII")
_ANSWER = Struct("!II")


class Asked(IntEnum):
    HASH = 0
    """About a stored hash: does the password match it? About nothing: a new hash."""
    STRENGTH = 1
    """About words its owner is known by, one a line: how hard is the password to guess?"""


@dataclass(frozen=True, slots=True)
class Request:
    number: int
    about: str = field(repr=False)
    password: str = field(repr=False)
    asked: Asked = Asked.HASH


def request(asked: Request) -> bytes:
    about, password = asked.about.encode("utf-8", "surrogatepass"), asked.password.encode("utf-8", "surrogatepass")
    return _REQUEST.pack(asked.number, asked.asked, len(about), len(password)) + about + password


def read_request(read: Callable[[int], bytes]) -> Request | None:
    """Take the next one; `read` gives exactly so many bytes, or fewer where the other side is gone: then None."""
    head = read(_REQUEST.size)
    if len(head) < _REQUEST.size:
        return None
    number, asked, about_length, length = _REQUEST.unpack(head)
    body = read(about_length + length)
    if len(body) < about_length + length:
        return None
    about, password = (text.decode("utf-8", "surrogatepass") for text in (body[:about_length], body[about_length:]))
    return Request(number, about, password, Asked(asked))


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
