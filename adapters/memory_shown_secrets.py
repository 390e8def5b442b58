"""Secrets of answers that live as long as their process, with a clock that tests set."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from adapters.shown_secrets import close, unclose
from commands.ports import KEPT_S, Place


class MemoryShownSecrets:
    """commands.ports.ShownSecrets, under the same suite as the one in Postgres."""

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._clock = clock
        self._kept: dict[tuple[bytes, UUID], tuple[bytes, datetime]] = {}

    async def keep(self, place: Place, secret: str) -> None:
        until = self._clock() + timedelta(seconds=KEPT_S)
        self._kept.setdefault((place.key, place.answer_id), (close(place, secret), until))

    async def find(self, place: Place) -> str | None:
        box, until = self._kept.get((place.key, place.answer_id), (b"", self._clock()))
        return unclose(place, box) if self._clock() < until else None
