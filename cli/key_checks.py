"""What `minos doctor` looks at of the keys that wrap all others: whether they are here, and what still hangs on which."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from adapters import master_key, postgres_connect
from adapters.postgres import AWAY
from adapters.postgres_links import Links
from adapters.rewrapping import refuse_unknown
from adapters.root_keys import open_root
from adapters.second_place import PlaceAway
from adapters.settings import Settings
from adapters.subject_keks import SLACK, SubjectKeks, subject_keks
from adapters.transit import KmsAway, KmsRefused
from adapters.wrapping import CannotUnwrap, Wrapping
from cli.finding import Finding, warned
from cli.key_standing import standing
from domain.errors import StoreUnavailable
from projections import signing_keys
from projections.reading import ReadModels
from projections.signing_keys import KeyStage

OLDEST_KEY = timedelta(days=400)
_DEADLINE_S = 5.0


def of_this_machine(settings: Settings) -> Iterator[Finding]:
    try:
        keys = [] if settings.root_key == "transit" else [master_key.load(settings)]
        names = ", ".join(key.kek_id for key in [*keys, *master_key.previous(settings)])
    except master_key.NoMasterKey as error:
        yield Finding(check="master key", ok=False, detail=str(error))
    else:
        yield Finding(check="master key", ok=True, detail=names or f"in the KMS at {settings.transit_url}")


async def of_the_database(settings: Settings) -> list[Finding]:
    """What hangs on these keys in a database that is migrated. Nothing is made."""
    if settings.database_url is None:
        return []
    links = Links(settings.database_url.reveal(), size=1)
    try:
        root = await open_root(settings, links, making=False)
        await refuse_unknown(links, root)
        keks = subject_keks(settings, links, root)
        await keks.look()
        return [_months(keks, settings), await _hanging(links, root, keks)]
    except (master_key.NoMasterKey, CannotUnwrap, KmsAway, KmsRefused, PlaceAway, StoreUnavailable) as error:
        return [Finding(check="keys", ok=False, detail=str(error) or type(error).__name__)]
    finally:
        await links.close()


async def signing(settings: Settings) -> list[Finding]:
    """How long each key has signed. Of a database that is away the other checks tell."""
    if settings.database_url is None:
        return []
    try:
        async with postgres_connect.pool(settings.database_url.reveal(), size=1, timeout=_DEADLINE_S, command_timeout=_DEADLINE_S) as pool:
            active = (await signing_keys.page(ReadModels(pool), stage=KeyStage.ACTIVE)).rows
    except (*AWAY, StoreUnavailable):
        return []
    return [ages([(str(row.purpose), row.promoted_at or row.created_at) for row in active], datetime.now(UTC))]


def ages(active: Sequence[tuple[str, datetime]], now: datetime) -> Finding:
    """`active`: what each signs, and since when."""
    old = sorted({purpose for purpose, since in active if now - since > OLDEST_KEY})
    oldest = max(((now - since).days for _, since in active), default=0)
    advice = " and ".join(f"`minos keys rotate --purpose {purpose}`" for purpose in old)
    return warned("signing keys", f"{len(active)} sign, the oldest for {oldest} days", advice, ok=not old)


def _months(keks: SubjectKeks, settings: Settings) -> Finding:
    now = datetime.now(UTC)
    late = [each.kek_id for each in keks.registered if each.closed_at and not each.emptied_at and each.closed_at + SLACK < now]
    if late:
        return Finding(
            check="keys of the months", ok=False, detail=f"keys of people still hang on {', '.join(late)}: does `keykeeper` run?"
        )
    return Finding(check="keys of the months", ok=True, detail=f"{len(keks.months)} in {settings.keys_place}: have a copy elsewhere")


async def _hanging(links: Links, root: Wrapping, keks: SubjectKeks) -> Finding:
    found = await standing(links, root, keks)
    if found.lacking:
        lacking = ", ".join(dict.fromkeys(holder.place for holder in found.lacking))
        return Finding(check="keys", ok=False, detail=f"without {found.current}: {lacking}; start them with it")
    earlier = [f"{each.hangs} keys hang on {each.key}" for each in found.keys if each.state == "previous" and each.hangs]
    if earlier:
        return Finding(check="keys", ok=False, detail=f"{', '.join(earlier)}: run `minos keys rewrap`, and keep it until then")
    spare = [each.key for each in found.keys if each.state == "previous"]
    detail = f"all hang on {found.current}" + (f"; {', '.join(spare)} can be taken away" if spare else "")
    return Finding(check="keys", ok=True, detail=detail)
