"""Calls as plans: generators that say what to ask and how long to wait, and leave doing it to an asynchronous or a blocking driver.

So there is one logic of retries, renewals and parsing, and the two clients differ in nothing but who waits.
"""

import json
import random
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar, cast

from minos_sdk import given
from minos_sdk.call_errors import CallRefused, Unreachable

T = TypeVar("T")
BUSY = frozenset({429, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. `safe`: asking twice does no more than asking once."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    body: bytes | None = field(default=None, repr=False)
    safe: bool = False


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer. Names of header fields are in lower case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def json(self) -> Any:
        """Raises Unreachable for what is no JSON: whoever answered, it was not Minos."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise Unreachable("Something that is not Minos answered.") from None


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """The connection failed, or it took too long. It may have been done all the same."""


@dataclass(frozen=True, slots=True)
class Pause:
    seconds: float


Reply: TypeAlias = Answered | NoAnswer | None
Plan: TypeAlias = Generator[Ask | Pause, Reply, T]


@dataclass(frozen=True, slots=True)
class Retries:
    """Ask up to `times`, after pauses that double from `first_s` to `longest_s`, each shortened by chance: full jitter, so that
    many clients do not come back at once. A `Retry-After` is kept to; one longer than `longest_s` ends it."""

    times: int = 3
    first_s: float = 0.1
    longest_s: float = 2.0

    def __post_init__(self) -> None:
        given.whole("times", self.times, least=1, unit="how often to ask")
        given.number("first_s", self.first_s)
        given.number("longest_s", self.longest_s)

    def pause(self, attempt: int, reply: Answered | NoAnswer) -> float | None:
        """Give how long to wait after the attempt of this number, from 1; None for not again."""
        if attempt >= self.times or (isinstance(reply, Answered) and reply.status not in BUSY):
            return None
        named = retry_after(reply)
        if named is not None:
            return float(named) if named <= self.longest_s else None
        return random.uniform(0, min(self.longest_s, self.first_s * 2 ** (attempt - 1)))  # noqa: S311 - chance for spreading, no secret


def retry_after(reply: Answered | NoAnswer) -> int | None:
    """Give whole seconds; dates, which Minos never sends, are not read."""
    text = reply.headers.get("retry-after", "") if isinstance(reply, Answered) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else None


def answered(wanted: Ask | Callable[[], Ask], retries: Retries) -> Plan[Answered]:
    """Ask, and again where that is safe; what is to be new each time is made each time. Raises Unreachable, also for who stays busy."""
    for attempt in range(1, retries.times + 1):
        ask = wanted() if callable(wanted) else wanted
        reply = yield ask
        if reply is None:
            raise RuntimeError("a driver answers what is asked")
        if isinstance(reply, Answered) and reply.status not in BUSY:
            return reply
        pause = retries.pause(attempt, reply) if ask.safe else None
        if pause is None:
            if isinstance(reply, Answered) and reply.status == 429:
                return reply
            raise Unreachable(retry_after=retry_after(reply))
        yield Pause(pause)
    raise Unreachable


def refused(answer: Answered) -> CallRefused:
    """Read a problem (RFC 9457), or the error of an OAuth endpoint (RFC 6749 5.2)."""
    told = _object(answer.body)
    code = told.get("code") or told.get("error") or "unknown"
    detail = told.get("detail") or told.get("error_description") or "Minos refused, and did not say why."
    return CallRefused(answer.status, str(code), str(detail), faults=told.get("errors") or ())


def _object(body: bytes) -> dict[str, Any]:
    try:
        told: Any = json.loads(body)
    except ValueError:
        return {}
    return cast("dict[str, Any]", told) if isinstance(told, dict) else {}  # JSON names are text


def granted(answer: Answered) -> Any:
    """Give the JSON of an answer that says yes. Raises CallRefused."""
    if answer.status == 204:
        return None
    if 200 <= answer.status < 300:
        return answer.json
    raise refused(answer)
