"""What `minos doctor` looks at of backups: that there is one, of late, and that one was tried."""

from datetime import UTC, datetime, timedelta

from adapters.second_place import PlaceAway, open_second_place
from adapters.settings import Settings
from cli.finding import Finding, found, warned
from workers.backup import newest
from workers.backup.newest import Newest

LATE = timedelta(days=2)
UNTRIED = timedelta(days=90)
_DAY = timedelta(days=1)


async def backups(settings: Settings) -> list[Finding]:
    """Of a place that is away the other checks tell."""
    place = open_second_place(settings)
    try:
        return [backup(await newest.read(place), settings, datetime.now(UTC))]
    except PlaceAway:
        return []
    finally:
        await place.close()


def backup(last: Newest, settings: Settings, now: datetime) -> Finding:
    """What is backed up in other ways is not known here."""
    make = "`minos backup make`, each night"
    if last.made_at is None:
        return warned("backup", "none was made by `minos backup`", f"{make}; or is there another way?", ok=not settings.in_production)
    age = now - last.made_at
    tried = "never tried" if last.verified_at is None else f"last tried {(now - last.verified_at) / _DAY:.1f} days ago"
    said = f"{last.size} events, {age / _DAY:.1f} days ago, {'with' if last.months else 'without'} the months' keys; {tried}"
    if age > timedelta(days=settings.backup_days):
        return found("backup", said, f"older than MINOS_BACKUP_DAYS, nothing personal in it opens: {make}", ok=False)
    if age > LATE:
        return warned("backup", said, make, ok=False)
    untried = last.verified_at is None or now - last.verified_at > UNTRIED
    return warned("backup", said, "`minos backup verify` restores it elsewhere", ok=not (untried and settings.in_production))
