"""Bootstrap codes that live as long as their process."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hmac import compare_digest

from adapters.bootstrap_codes import CODE_TTL, TRIES, digest, new_code


@dataclass(slots=True)
class _Alive:
    digest: bytes
    expires_at: datetime
    tries: int = 0


class MemoryBootstrapCodes:
    """commands.ports.BootstrapCodes, under the same suite as the ones in Postgres."""

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._clock = clock
        self._code: _Alive | None = None

    async def issue(self) -> str:
        code = new_code()
        self._code = _Alive(digest(code), self._clock() + timedelta(seconds=CODE_TTL))
        return code

    async def redeem(self, code: str) -> bool:
        alive = self._code
        if alive is None or alive.tries >= TRIES or self._clock() >= alive.expires_at:
            return False
        alive.tries += 1
        return compare_digest(alive.digest, digest(code))
