"""What hangs on which of the keys that wrap others, and who has them: what an operator looks at before taking one away."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from adapters.key_holders import Holder, present
from adapters.rewrapping import Kind, hanging

if TYPE_CHECKING:
    from adapters.postgres_links import Links
    from adapters.subject_keks import Registered, SubjectKeks
    from adapters.wrapping import Wrapping


_MONTHS = "months"


class ShownKek(Struct, frozen=True, kw_only=True):
    """One key that wraps others. The counts are of what it wraps."""

    key: str
    state: str
    """`current`, `previous` (it only opens) or `not here` of root keys; `in use`, `ahead`, `closed`, `empty` or `destroyed` of months."""
    service: int = 0
    signing: int = 0
    log: int = 0
    months: int = 0
    people: int = 0
    gone_at: datetime | None = None
    """When a month's key is destroyed, or was; backups from before its last use open no more from then on."""

    @property
    def hangs(self) -> int:
        return self.service + self.signing + self.log + self.months + self.people


class Standing(Struct, frozen=True, kw_only=True):
    keys: Sequence[ShownKek]
    holders: Sequence[Holder]
    current: str

    @property
    def lacking(self) -> list[Holder]:
        """Processes that do not have the current root key."""
        return [holder for holder in self.holders if self.current not in holder.kek_ids]

    @property
    def left(self) -> int:
        """How much hangs on other root keys than the current one."""
        return sum(each.hangs for each in self.keys if each.state in {"previous", "not here"})


async def standing(links: "Links", root: "Wrapping", keks: "SubjectKeks") -> Standing:
    """Raises StoreUnavailable."""
    counts: dict[str, dict[str, int]] = {}
    for each in await hanging(links):
        counts.setdefault(each.kek_id, {})[each.kind] = each.count
    for month in keks.months:
        of_root = counts.setdefault(month.root, {})
        of_root[_MONTHS] = of_root.get(_MONTHS, 0) + 1
    registered = {each.kek_id: each for each in keks.registered if each.month is not None}
    roots = [*root.kek_ids, *sorted(counts.keys() - registered.keys() - set(root.kek_ids))]
    shown = [_shown(kek_id, _of_root(kek_id, root), counts.get(kek_id, {})) for kek_id in roots]
    shown += [_month(each, counts.get(each.kek_id, {}), keks) for each in registered.values()]
    return Standing(keys=shown, holders=await present(links), current=root.first)


def _of_root(kek_id: str, root: "Wrapping") -> str:
    return "current" if kek_id == root.first else "previous" if kek_id in root.kek_ids else "not here"


def _month(each: "Registered", counts: dict[str, int], keks: "SubjectKeks") -> ShownKek:
    now = datetime.now(UTC)
    if each.destroyed_at is not None or each.kek_id in keks.destroyed:
        return _shown(each.kek_id, "destroyed", counts, each.destroyed_at)
    if each.emptied_at is not None:
        state = "empty"
    elif each.closed_at is not None:
        state = "closed"
    else:
        state = "in use" if each.kek_id == keks.current else "ahead"
    return _shown(each.kek_id, state, counts, keks.expires_at(each, now))


def _shown(kek_id: str, state: str, counts: dict[str, int], gone_at: datetime | None = None) -> ShownKek:
    return ShownKek(
        key=kek_id,
        state=state,
        service=counts.get(Kind.SERVICE, 0),
        signing=counts.get(Kind.SIGNING, 0),
        log=counts.get(Kind.LOG, 0),
        months=counts.get(_MONTHS, 0),
        people=counts.get(Kind.SUBJECT, 0),
        gone_at=gone_at,
    )
