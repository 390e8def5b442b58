"""What no feed notices: that no connection broke, and nobody says up to when all is told."""

import asyncio
from typing import Never

from minos_sdk.receiver import Receiver

_LOOK_S = 1.0
WHY = "nobody says that they are complete: is the way to Minos open, do its workers run, is its feed halted?"


async def tell_of_standstill(receiver: Receiver) -> Never:
    """Log it, where nothing else was logged. Twice in a row it has to be so: a process that stood still itself hears first."""
    was_still = False
    while True:
        await asyncio.sleep(_LOOK_S)
        is_still = receiver.is_ready and receiver.monotonic() >= receiver.blind_at and receiver.trouble.why is None
        if is_still and was_still:
            receiver.trouble.begins(WHY)
        was_still = is_still
