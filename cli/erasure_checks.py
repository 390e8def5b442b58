"""What `minos doctor` looks at of erasures: that they come to an end, and that none was in vain."""

from adapters.postgres import AWAY
from adapters.postgres_connect import pool
from adapters.settings import Settings
from cli.finding import Finding
from domain.errors import StoreUnavailable
from projections import erasures
from projections.reading import ReadModels

LATE_SECONDS = 86_400
"""The last mail takes an hour at most, and the rest minutes."""
_DEADLINE_S = 5.0


async def erasures_end(settings: Settings) -> list[Finding]:
    """Look at a database that is migrated."""
    if settings.database_url is None:
        return []
    try:
        async with pool(settings.database_url.reveal(), size=1, timeout=_DEADLINE_S, command_timeout=_DEADLINE_S) as reading:
            late = await erasures.late(ReadModels(reading), LATE_SECONDS)
    except (*AWAY, StoreUnavailable) as error:
        return [Finding(check="erasures", ok=False, detail=str(error) or type(error).__name__)]
    detail = f"{late.unfinished} begun more than a day ago and not over, {late.keys} keys of people whose keys were destroyed"
    if late.keys:
        detail += ": end what made them, and see `minos users erased`"
    elif late.unfinished:
        detail += ": does `timekeeper` run, and does it reach the second place? `minos users erased` says what is left"
    return [Finding(check="erasures", ok=not (late.keys or late.unfinished), detail=detail)]
