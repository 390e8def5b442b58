"""When it is said that a credential of a program ends: while there is time to see to what comes after it, and not long before."""

from datetime import datetime, timedelta

_AHEAD, _PARTS = timedelta(days=14), 5


def ends_soon(*, since: datetime, until: datetime, at: datetime) -> bool:
    """Tell whether it is in the last fifth of its life, and no more than 14 days from its end. One that has ended is past that."""
    return until - min(_AHEAD, (until - since) / _PARTS) <= at < until
