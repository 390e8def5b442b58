"""How long something open may stay open: as long as the credential it was opened with would be let in there."""

import asyncio

from minos_sdk.admission import Caller, Ended, Verifies
from minos_sdk.errors import MinosError, Revoked, Unavailable

CHECK_S = 5.0
"""How often a credential is judged anew: for its end, for not knowing, and for the rules of the route. Revocations are told at once."""


class ClosedByRefusal(ConnectionError):
    """What an application gets for sending where the credential is over: an OSError, as ASGI asks for."""


async def until_refused(verifier: Verifies, caller: Caller) -> MinosError:
    """Wait, and give why the caller's credential is refused now. For nobody it waits for ever."""
    if caller.identity is None:
        await asyncio.Event().wait()
        raise AssertionError("nothing ends this wait")
    try:
        async with verifier.watching(caller.identity) as revoked:
            while not revoked.is_set():
                await caller.stands()
                await _set_within(revoked, CHECK_S)
        return Revoked()
    except MinosError as refused:
        return refused
    except Exception:  # noqa: BLE001 - whatever keeps us from looking is a refusal: nobody stays in unwatched
        return Unavailable()


async def _set_within(event: Ended, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
