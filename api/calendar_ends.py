"""The ends of the calendar that Postgres and Python share, with room to count from them."""

from datetime import UTC, datetime

_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(9999, 1, 1, tzinfo=UTC)


def brought_in(value: datetime) -> datetime:
    """Give a moment in UTC, and for one that is far off that end."""
    if value.year < _EARLIEST.year:
        return _EARLIEST
    return _LATEST if value.year >= _LATEST.year else value.astimezone(UTC)
