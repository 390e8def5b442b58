"""Something to wake up for, inside this process. A hint may be lost or come twice: whoever waits also looks by himself."""

import asyncio
from contextlib import suppress


class Hint(asyncio.Event):
    """An event that wakes one waiter. Clear it before looking, so that what comes while looking is not missed."""

    async def within(self, seconds: float) -> bool:
        """Wait for a hint at most so long. True when one came."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                return await self.wait()
        return self.is_set()
