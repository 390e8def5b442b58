"""After a database was set back: whoever was erased since then is erased again, before anything is served from it."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from commands.context import Context
from commands.delete_user import delete_in
from commands.forget_person import forget_person
from commands.keys_of_owner import OwnersKeys, with_keys_of
from commands.ports import EntryRefused, ErasedEntry, ErasedNames, ErasedReads, Ports
from commands.put_off_erasure import erasure_of
from commands.transact import Read, Transaction, transact
from domain import administrators, erasure, user
from domain.ids import UserId
from domain.user import Absent, Active, Suspended
from domain.user_events import DeleteReason

MOST_NAMED = 3


class Reread(Struct, frozen=True, kw_only=True):
    """So many were `back` and are erased again. `refused`: entries that are none of ours, by which nobody is; why, each in words."""

    back: int = 0
    refused: tuple[str, ...] = ()

    @property
    def in_words(self) -> str:
        """What is refused, the first few by name."""
        named = "; ".join(self.refused[:MOST_NAMED])
        more = f"; and {len(self.refused) - MOST_NAMED} more" if len(self.refused) > MOST_NAMED else ""
        return f"entries on the list of the erased are none of ours: {named}{more}"


async def read_erased_list(listed: ErasedNames, reads: ErasedReads, ctx: Context, ports: Ports) -> Reread:
    """Erase whoever was, and note that it was done for this database, unless an entry was refused: nobody knows who that is of.

    What is noted is what it was before: if it was set back meanwhile, the list is read again. Raises as `erase_whoever_was`, and what
    `reads` raises for a list that has been lost.
    """
    database = await reads.database()
    ids = await listed.ids()
    found = await _compared(ids, listed, ctx, ports)
    if not found.refused:
        await reads.note(database, listed=len(ids))
    return found


async def erase_whoever_was(listed: ErasedNames, ctx: Context, ports: Ports) -> Reread:
    """Compare the list of the erased with the database. Costs one look at each where nobody is back.

    With it they are gone at once: nothing of the account opens any more. What else is theirs goes as after any erasure. Raises what the
    list raises, StoreUnavailable.
    """
    return await _compared(await listed.ids(), listed, ctx, ports)


async def refused_entries(listed: ErasedNames, reads: ErasedReads) -> Reread:
    """Read all that would be gone by, and erase nobody. Raises what the list raises, StoreUnavailable."""
    refused, known = list[str](), frozenset(await reads.erased())
    for user_id in [each for each in await listed.ids() if each not in known]:
        try:
            await listed.get(user_id)
        except EntryRefused as error:
            refused.append(str(error))
    return Reread(refused=tuple(refused))


async def _compared(ids: Sequence[UserId], listed: ErasedNames, ctx: Context, ports: Ports) -> Reread:
    back, refused = 0, list[str]()
    for user_id in await _in_doubt(ids, ports):
        try:
            entry = await listed.get(user_id)
        except EntryRefused as error:  # the others' turn comes
            refused.append(str(error))
            continue
        back += entry is not None and await _erase(entry, ctx, ports)
    return Reread(back=back, refused=tuple(refused))


async def _in_doubt(ids: Sequence[UserId], ports: Ports) -> Sequence[UserId]:
    """Give those of whom this database does not know that they were erased."""
    subjects = {user.stream(user_id): user_id for user_id in ids}
    return [subjects[subject] for subject in await ports.vault.not_erased(list(subjects))] if subjects else []


async def _erase(entry: ErasedEntry, ctx: Context, ports: Ports) -> bool:
    """Also go on where whoever began it was killed. False for whoever is younger than the database is now."""
    user_id = entry.user_id
    of_user: Read = (user.decider, user.stream(user_id))
    of_admins: Read = (administrators.decider, administrators.STREAM)
    of_erasure = erasure_of(user_id)

    def decide(tx: Transaction, keys: OwnersKeys) -> bool:
        if isinstance(tx.state(*of_user), Absent):
            return False
        events = erasure.begin_again(tx.state(*of_erasure), user_id=user_id, asked_by=entry.asked_by, at=tx.at)
        tx.record(*of_erasure, events)
        if events and isinstance(tx.state(*of_user), Active | Suspended):
            kept_s = _seconds_until(entry.names_until, tx.at)
            delete_in(tx, user_id, keys, reason=DeleteReason.ERASURE, restorable_s=kept_s, even_the_last=True)
        return bool(events)

    async def begin(keys: OwnersKeys) -> bool:
        return (await transact(ports, ctx, [of_user, of_erasure, of_admins, *keys.reads], lambda tx: decide(tx, keys))).result

    await with_keys_of(user_id, ports, begin)
    return await forget_person(user_id, entry.invitations, ctx, ports)


def _seconds_until(names_until: datetime | None, at: datetime) -> int:
    return 0 if names_until is None else max(0, round((names_until - at).total_seconds()))
