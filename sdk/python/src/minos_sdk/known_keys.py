"""What was found out about API keys lately: for half a minute at most, and not past a signal (threats.md 8)."""

from collections import OrderedDict
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256

from minos_sdk import given
from minos_sdk.identity import Identity

Tie = tuple[str, str]
"""Kind and id of what a signal may be about: `api_key`, `user`, `client`; or what all roles give."""
ROLES: Tie = ("role_map", "*")


def digest_of(key: str) -> bytes:
    return sha256(key.encode()).digest()


def ties_of(identity: Identity) -> frozenset[Tie]:
    """Give what this identity hangs on."""
    named = {"api_key": identity.key_id, "user": identity.user_id, "client": identity.client_id}
    return frozenset({ROLES, *((kind, name) for kind, name in named.items() if name)})


@dataclass(slots=True)
class Asking:
    """A question under way. What was signalled meanwhile may be missing from its answer."""

    signalled: set[Tie] = field(default_factory=set[Tie])


class KnownKeys:
    """Bounded twice over, so that made-up keys never push out real ones. Times are of the monotonic clock, in seconds.

    Holds digests, never a key.
    """

    def __init__(self, *, good_s: float = 30.0, bad_s: float = 10.0, most: int = 10_000) -> None:
        given.number("good_s", good_s, most=30, why="a good key is kept for 30 s at most")
        given.number("bad_s", bad_s, most=300)
        given.whole("most", most, least=1, unit="a number of keys")
        self._good_s = good_s
        self._bad_s = bad_s
        self._most = most
        self._good: OrderedDict[bytes, tuple[float, Identity]] = OrderedDict()
        self._bad: OrderedDict[bytes, float] = OrderedDict()
        self._once_good: OrderedDict[bytes, None] = OrderedDict()
        self._tied: dict[Tie, set[bytes]] = {}
        self._asking: list[Asking] = []

    def __len__(self) -> int:
        return len(self._good) + len(self._bad)

    def good(self, digest: bytes, *, now: float) -> Identity | None:
        kept = self._good.get(digest)
        if kept is None or now < kept[0]:
            return None if kept is None else kept[1]
        self._forget(digest)
        return None

    def is_bad(self, digest: bytes, *, now: float) -> bool:
        until = self._bad.get(digest)
        if until is None or now < until:
            return until is not None
        del self._bad[digest]
        return False

    def was_good(self, digest: bytes) -> bool:
        """Tell whether this is no stranger: it was good when it was asked about last, however long ago."""
        return digest in self._once_good

    def note_good(self, digest: bytes) -> None:
        self._once_good[digest] = None
        self._once_good.move_to_end(digest)
        while len(self._once_good) > self._most:
            self._once_good.popitem(last=False)

    def keep(self, digest: bytes, identity: Identity, *, now: float, lasts_s: float) -> None:
        """Keep an answer that was asked for at `now`, for `lasts_s` at most, and that no signal about it overtook."""
        self._forget(digest)
        if not lasts_s > 0 or not self._good_s > 0:
            return
        self._good[digest] = (now + min(self._good_s, lasts_s), identity)
        for tie in ties_of(identity):
            self._tied.setdefault(tie, set()).add(digest)
        while len(self._good) > self._most:
            self._forget(next(iter(self._good)))

    def keep_bad(self, digest: bytes, *, now: float) -> None:
        self._forget(digest)
        self._once_good.pop(digest, None)
        self._bad[digest] = now + self._bad_s
        self._bad.move_to_end(digest)
        while len(self._bad) > self._most:
            self._bad.popitem(last=False)

    def drop(self, tie: Tie) -> None:
        """A signal: what hangs on this has to be asked for anew."""
        for asking in self._asking:
            asking.signalled.add(tie)
        for digest in tuple(self._tied.get(tie, ())):
            self._forget(digest)

    def clear(self) -> None:
        """Forget all that is good: signals may have been missed."""
        for digest in tuple(self._good):
            self._forget(digest)

    @contextmanager
    def asking(self) -> Generator[Asking]:
        asking = Asking()
        self._asking.append(asking)
        try:
            yield asking
        finally:
            self._asking.remove(asking)

    def _forget(self, digest: bytes) -> None:
        kept = self._good.pop(digest, None)
        if kept is None:
            return
        for tie in ties_of(kept[1]):
            tied = self._tied[tie]
            tied.discard(digest)
            if not tied:
                del self._tied[tie]
