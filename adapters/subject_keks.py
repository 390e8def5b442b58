"""What wraps the keys of subjects: one key a month, kept outside PostgreSQL and destroyed when its month's backups are old (threats.md 17).

A process has them unwrapped from its start on and asks the folder again only when the database names one that it does not know, so
that sealing and opening cost what they did without months.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import asyncpg
from msgspec import Struct

from adapters import months
from adapters.master_key import MasterKey
from adapters.months import Month
from adapters.postgres import Connection
from adapters.postgres_links import Links
from adapters.postgres_sql import statements
from adapters.second_place import PlaceChanged, SecondPlace, place_at
from adapters.settings import Settings
from adapters.wrapping import CannotUnwrap, KekDestroyed, UnknownKek, Wrapped, Wrapping

SQL = statements(Path(__file__).with_suffix(".sql"))
SLACK = timedelta(days=1)
"""How long after a month's end all that hung on its key may still be on the way to the next."""


class KeysDiffer(CannotUnwrap):
    """The folder of the months' keys is not the one that the database's keys hang on. The message tells what is missing where."""


class Registered(Struct, frozen=True, kw_only=True):
    """What the database knows of a key: its name and its times, and nothing of the key. `month` is None for a master key."""

    kek_id: str
    month: date | None
    made_at: datetime
    closed_at: datetime | None
    emptied_at: datetime | None
    destroyed_at: datetime | None


def _now() -> datetime:
    return datetime.now(UTC)


class SubjectKeks:
    """`KeyWrapping` for the vault. Any number of processes share one folder; two that make a month's key at once end with one."""

    def __init__(
        self,
        links: Links,
        place: SecondPlace,
        root: Wrapping,
        *,
        backup_days: int = 30,
        clock: Callable[[], datetime] = _now,
        where: str = "",
    ) -> None:
        """`where`: what an operator calls the place. The owner's word of how old a backup may get counts where it is more than
        `backup_days`."""
        self._links, self._place, self._root = links, place, root
        self._where = where or repr(place)
        self._clock = clock
        self._asked = self._kept_for = timedelta(days=backup_days)
        self._months: dict[date, Month] = {}
        self.destroyed: set[str] = set()
        self._wrapping = root
        self.registered: Sequence[Registered] = ()

    def __repr__(self) -> str:
        return f"SubjectKeks({', '.join(month.key.kek_id for month in self._months.values())})"

    async def open(self) -> None:
        """Read what there is, and make this month's key where none is. Raises StoreUnavailable, PlaceAway, KeysDiffer, CannotUnwrap."""
        await self.look()
        if self._current() is None:
            await self.make(months.first_of(self._clock()))

    async def look(self) -> None:
        """Read what there is. Raises what `open` does."""
        await self._read_register()
        await self._read_folder()
        self._refuse_missing()

    async def refresh(self) -> None:
        """Learn of months that others made or destroyed: one question to the database; to the folder where there is something new."""
        await self._read_register()
        if self._missing():
            await self._read_folder()
        else:
            self._arrange()

    async def look_again(self) -> None:
        await self.refresh()

    def wrap(self, name: str, key: bytes) -> Wrapped:
        month = self._current()
        if month is None:
            raise KeysDiffer(f"there is no key of a month in {self._where} that anything may be wrapped by")
        return self._wrapping.wrap(name, key, under=month.key.kek_id)

    def unwrap(self, name: str, wrapped: Wrapped) -> bytes:
        """Raises KekDestroyed where the month is, UnknownKek where this process lacks its key, CannotUnwrap."""
        if wrapped.kek_id in self.destroyed:
            raise KekDestroyed(f"{name} was wrapped by {wrapped.kek_id}, which is destroyed")
        try:
            return self._wrapping.unwrap(name, wrapped)
        except UnknownKek:
            raise UnknownKek(f"{name} is wrapped by {wrapped.kek_id}, which is {self._here()}") from None

    async def make(self, month: date) -> MasterKey:
        """Give a month its key, or find the one that another process gave it. Raises KeysDiffer."""
        key = months.new_key(month)
        with suppress(PlaceChanged):  # somebody was first: that one counts
            await self._place.put(months.name_of(month), months.encoded(key, self._root), expect=None)
        await self._read_folder()
        there = self._months.get(month)
        if there is None:
            raise KeysDiffer(f"the key of {month:%Y-%m} in {self._where} is destroyed: is this machine's clock right?")
        await self._links.run(SQL["register"], there.key.kek_id, month)
        await self._read_register()
        self._refuse_missing()
        self._arrange()
        return there.key

    def backups_until(self, at: datetime) -> datetime:
        """Give when no backup opens any more what is destroyed at `at`: every key that wraps subject keys by then is gone."""
        begun = [each for each in self.registered if each.month is None or each.month <= months.first_of(at)]
        return max([at + self._kept_for, *(self.expires_at(each, at) for each in begun if each.destroyed_at is None)])

    def expires_at(self, each: Registered, at: datetime) -> datetime:
        """Give when the key is destroyed: when all that hung on it has been old for as long as backups are kept."""
        if each.emptied_at is not None:
            return each.emptied_at + self._kept_for
        return (at if each.month is None else max(at, _end_of(each.month))) + SLACK + self._kept_for

    def is_due(self, each: Registered, at: datetime) -> bool:
        """Tell whether a key has nothing to open any more, or was to be gone already and is still here."""
        if each.destroyed_at is not None:
            return any(month.key.kek_id == each.kek_id for month in self._months.values())
        return each.emptied_at is not None and self.expires_at(each, at) <= at

    @property
    def months(self) -> Sequence[Month]:
        return [self._months[day] for day in sorted(self._months)]

    @property
    def current(self) -> str | None:
        month = self._current()
        return None if month is None else month.key.kek_id

    async def rewrap_files(self) -> int:
        """Have every month's file wrapped by the root key in use. Gives how many were not. Safe to repeat."""
        moved = 0
        for month in self.months:
            if month.root != self._root.current:
                moved += await self._replace(month, months.encoded(month.key, self._root))
        await self._read_folder()
        return moved

    async def bury(self, month: Month, at: datetime) -> None:
        """Put a note in the place of a month's key. What that wrapped opens no more, here or anywhere."""
        await self._replace(month, months.tombstone(month.key.kek_id, at))
        await self._read_folder()

    async def _replace(self, month: Month, data: bytes) -> bool:
        """Never over what another process put there meanwhile: a key that is gone does not come back."""
        try:
            await self._place.put(months.name_of(month.first_day), data, expect=month.version)
        except PlaceChanged:
            return False
        return True

    async def _read_register(self) -> None:
        rows = await self._links.read(SQL["all_registered"])
        now = self._clock()
        self.registered = [_registered(row, now) for row in rows]
        self._kept_for = max([self._asked, *(row["kept_for"] for row in rows[:1])])

    async def _read_folder(self) -> None:
        for name in await self._place.names(months.FOLDER):
            month = months.month_of(name)
            file = None if month is None else await self._place.get(name)
            if month is None or file is None:
                continue
            kept = months.decoded(file.data)
            if kept.destroyed_at is not None:
                self._months.pop(month, None)
                self.destroyed.add(kept.kek_id)
            elif (known := self._months.get(month)) is None or known.version != file.version:
                key = months.opened(month, kept, self._root, f"{self._where} {name}")
                self._months[month] = Month(month, key, kept.root, file.version)
        self._arrange()

    def _arrange(self) -> None:
        self.destroyed |= {each.kek_id for each in self.registered if each.destroyed_at is not None}
        usable = [month.key for month in self.months if month.key.kek_id not in self.destroyed]
        self._wrapping = Wrapping([*usable, *self._root.keys])

    def _current(self) -> Month | None:
        """The month it is, or the last one before it whose key is here and open; one ahead of it where there is no other."""
        closed = {each.kek_id for each in self.registered if each.closed_at is not None} | self.destroyed
        usable = [month for month in self.months if month.key.kek_id not in closed]
        begun = [month for month in usable if month.first_day <= months.first_of(self._clock())]
        return begun[-1] if begun else next(iter(usable), None)

    def _missing(self) -> list[Registered]:
        here = {month.key.kek_id for month in self._months.values()} | self.destroyed
        return [each for each in self.registered if each.month is not None and each.destroyed_at is None and each.kek_id not in here]

    def _refuse_missing(self) -> None:
        for each in self._missing():
            if each.emptied_at is None:
                raise KeysDiffer(f"keys of people hang on {each.kek_id}, which is {self._here()}")

    def _here(self) -> str:
        here = ", ".join(month.key.kek_id for month in self.months) or "none"
        return f"not in {self._where} ({here} there): every process needs the same folder (MINOS_KEYS_DIR); put it back from its copy"


def subject_keks(settings: Settings, links: Links, root: Wrapping) -> SubjectKeks:
    """Those of the settings, not opened yet."""
    where = settings.keys_place
    return SubjectKeks(links, place_at(where, settings), root, backup_days=settings.backup_days, where=where)


async def say_backup_days(owner: Connection, days: int) -> None:
    """Tell the database how old a backup may get: no key goes sooner, whatever the serving role says. As the owner."""
    await owner.execute(SQL["say_backup_days"], days)


def _end_of(month: date) -> datetime:
    following = months.next_month(month)
    return datetime(following.year, following.month, 1, tzinfo=UTC)


def _registered(row: asyncpg.Record, now: datetime) -> Registered:
    """Its times by the clock of this process: how long ago they were is what the database says."""
    made, closed, emptied, destroyed = (None if row[n] is None else now - row[n] for n in ("made", "closed", "emptied", "destroyed"))
    return Registered(
        kek_id=row["kek_id"], month=row["month"], made_at=made or now, closed_at=closed, emptied_at=emptied, destroyed_at=destroyed
    )
