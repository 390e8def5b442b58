"""What `minos doctor` looks at of the audit tree: that checkpoints keep up with the log, and that it continues what was published of it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from adapters.postgres_sql import statements
from adapters.settings import Settings
from adapters.settings_checks import split_url
from cli.finding import FURTHEST_BEHIND_S, Finding, warned

if TYPE_CHECKING:
    from adapters.postgres_links import Links

SQL = statements(Path(__file__).with_suffix(".sql"))
_HERE = frozenset({"", "127.0.0.1", "::1", "localhost"})


async def tree(settings: Settings) -> AsyncIterator[Finding]:
    """Of a database that is away the other checks tell."""
    from adapters.postgres import StatementRefused
    from adapters.postgres_links import Links
    from adapters.second_place import PlaceAway
    from domain.errors import StoreUnavailable

    if settings.database_url is None:
        return
    links = Links(settings.database_url.reveal(), size=1)
    try:
        yield await _second_place(settings, links)
        yield await _checkpoints(links)
        if settings.log_policy is not None:
            yield await _witnesses(links)
    except PlaceAway as away:
        yield Finding(check="second place", ok=False, detail=str(away))
    except (StoreUnavailable, StatementRefused):
        return
    finally:
        await links.close()


async def _second_place(settings: Settings, links: "Links") -> Finding:
    """Hold the log against what the second place has of it, as the integrator does at its start."""
    from adapters.checkpoint_key import read_log_name
    from adapters.second_place import open_second_place
    from adapters.tree_store import TreeStore
    from workers.integrator.judging import Refused, judge

    place = open_second_place(settings)
    try:
        name = await read_log_name(links)
        where = _where(settings)
        if name is None:
            return Finding(check="second place", ok=True, detail=f"{where}; nothing was published yet")
        ((epoch,),) = await links.read(SQL["epoch"])
        found = await judge(name, place, links, epoch)
        await found.agree_stored(TreeStore(links))
    except Refused as refused:
        return Finding(check="second place", ok=False, detail=f"nothing is signed: {refused}")
    finally:
        await place.close()
    return kept(settings, f"{where}; the log continues what was published, {found.size} events")


def kept(settings: Settings, detail: str) -> Finding:
    """A place that goes with the database is a warning where anything depends on it."""
    advice = "set MINOS_SECOND_PLACE to a folder of another machine, or to a bucket"
    return warned("second place", detail, advice, ok=not (settings.in_production and is_beside(settings)))


async def _checkpoints(links: "Links") -> Finding:
    ((behind, published),) = await links.read(SQL["behind"])
    detail = f"{published} events are under one, {behind:.1f} s behind the log"
    advice = "" if behind <= FURTHEST_BEHIND_S else ": does the integrator run, has it halted?"
    return Finding(check="checkpoints", ok=behind <= FURTHEST_BEHIND_S, detail=detail + advice)


async def _witnesses(links: "Links") -> Finding:
    from workers.integrator.collector import SQL as COLLECTED

    ((size, waiting),) = await links.read(COLLECTED["waiting"])
    detail = f"{size} events are under a checkpoint that their quorum cosigned, the next one has waited {waiting:.1f} s"
    advice = (
        ""
        if waiting <= FURTHEST_BEHIND_S
        else ": are the witnesses of MINOS_LOG_POLICY away, do they refuse? minos_witness_answers_total says it"
    )
    return Finding(check="witnesses", ok=waiting <= FURTHEST_BEHIND_S, detail=detail + advice)


def is_beside(settings: Settings) -> bool:
    """Tell whether the place would be lost together with the database, as far as can be seen."""
    url = split_url(settings.database_url.reveal()) if settings.database_url else None
    host = "" if url is None else url.hostname or parse_qs(url.query).get("host", [""])[0]
    return "://" not in settings.second_place and (host in _HERE or host.startswith("/"))


def _where(settings: Settings) -> str:
    place = settings.second_place.partition("?")[0]
    return place + (" (on the machine of the database: lost with it, and set back with it)" if is_beside(settings) else "")
