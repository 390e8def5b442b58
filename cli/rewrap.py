"""`minos keys status` and `minos keys rewrap`: the keys that wrap all others, and having them wrap anew while everybody serves."""

import argparse
import sys
import time
from typing import TYPE_CHECKING, Self

from msgspec import Struct

from cli.command import COULD_NOT, DONE, NO

if TYPE_CHECKING:
    from collections.abc import Callable

    from adapters.postgres_links import Links
    from cli.authority import Authority
    from cli.key_standing import Standing
    from commands.vault_keys import Moved

_NOT_ALLOWED = "42501"
"""insufficient_privilege (PostgreSQL, appendix A)."""


class Rewrapped(Struct, frozen=True, kw_only=True):
    """What `rewrap` prints. `left`: what another process wrapped by an earlier key meanwhile; run it again."""

    to: str
    service_keys: int
    signing_keys: int
    log_keys: int
    month_keys: int
    subject_keys: int
    seconds: float
    left: int


class _Step(Struct, frozen=True, kw_only=True):
    done: int
    total: int
    per_second: float
    stage: str = "wrapping anew"

    @classmethod
    def since(cls, began: float, done: int, total: int) -> Self:
        return cls(done=done, total=max(done, total), per_second=done / max(time.monotonic() - began, 0.001))


async def status(authority: "Authority", args: argparse.Namespace) -> int:
    """Exit code 1 while something hangs on a root key that is not the current one, or a process lacks that one."""
    from adapters.postgres_links import Links
    from cli.key_standing import standing
    from cli.printing import print_json, print_rows

    opened = authority.opened
    links = Links(_url(authority), size=1)
    try:
        found = await standing(links, opened.wrapping, opened.keks)
    finally:
        await links.close()
    if args.json:
        print_json({"keys": found.keys, "processes": found.holders})
    else:
        print_rows(found.keys, as_json=False)
        print(_of_processes(found))
    return NO if found.left or found.lacking else DONE


def _of_processes(found: "Standing") -> str:
    if not found.lacking:
        return f"all {len(found.holders)} processes have {found.current}"
    return f"without {found.current}: {', '.join(dict.fromkeys(holder.place for holder in found.lacking))}"


async def rewrap(authority: "Authority", args: argparse.Namespace) -> int:
    from adapters.postgres import StatementRefused
    from adapters.postgres_links import Links
    from cli.authority import owner_url
    from cli.key_standing import standing
    from cli.printing import print_json

    owner = Links(owner_url(authority.settings).reveal(), size=1)
    try:
        found = await standing(owner, authority.opened.wrapping, authority.opened.keks)
        if found.lacking:
            print(
                f"minos: {_of_processes(found)}. They would not open what is wrapped by it: start each with the new key and the old one "
                "beside it (MINOS_MASTER_KEY_PREVIOUS) first; who has ended is forgotten after 90 seconds",
                file=sys.stderr,
            )
            return COULD_NOT
        done = await _moved(authority, owner, found, quiet=args.json)
    except StatementRefused as refused:
        if refused.sqlstate != _NOT_ALLOWED:
            raise
        print("minos: only the role that owns the schema has keys wrapped anew; set MINOS_MIGRATION_DATABASE_URL", file=sys.stderr)
        return COULD_NOT
    finally:
        await owner.close()
    if args.json:
        print_json(done)
    else:
        print(
            f"wrapped by {done.to} now: {done.service_keys} service, {done.signing_keys} signing, {done.log_keys} log and "
            f"{done.month_keys} month keys, and by the month's {done.subject_keys} keys of people, in {done.seconds:.1f} s"
        )
        if done.left:
            print(f"{done.left} are left, wrapped meanwhile: run it again")
    return NO if done.left else DONE


async def _moved(authority: "Authority", owner: "Links", found: "Standing", *, quiet: bool) -> Rewrapped:
    from cli.key_standing import standing
    from cli.progress import Bar
    from commands.vault_keys import begin_rewrap, end_rewrap
    from domain.ids import KekId

    opened, began, to = authority.opened, time.monotonic(), KekId(found.current)
    opened.wrapping.keep_to(None)
    await begin_rewrap(to, authority.context(), authority.ports)
    with Bar(quiet=quiet, unit="keys") as bar:
        moved = await _each(authority, owner, lambda done: bar.advance(_Step.since(began, done, found.left)))
    left = (await standing(owner, opened.wrapping, opened.keks)).left
    if not left:
        await end_rewrap(to, moved, authority.context(), authority.ports)
    counts = {name: getattr(moved, name) for name in moved.__struct_fields__}
    return Rewrapped(to=to, **counts, seconds=round(time.monotonic() - began, 3), left=left)


async def _each(authority: "Authority", owner: "Links", show: "Callable[[int], None]") -> "Moved":
    from adapters.rewrapping import OF_ROOT, Kind, rewrap, rewrap_subjects
    from adapters.root_keys import rewrap_roots
    from commands.vault_keys import Moved

    opened = authority.opened
    counts = dict.fromkeys(Kind, 0)
    months = await opened.keks.rewrap_files()
    for kind in Kind:
        batches = (
            [rewrap(owner, opened.wrapping, kind)]
            if kind in OF_ROOT
            else [rewrap_subjects(owner, opened.keks, kek_id) for kek_id in opened.wrapping.kek_ids]
        )
        for each in batches:
            async for moved in each:
                counts[kind] += moved
                show(months + sum(counts.values()))
    await rewrap_roots(authority.settings, owner)
    return Moved(
        service_keys=counts[Kind.SERVICE],
        signing_keys=counts[Kind.SIGNING],
        log_keys=counts[Kind.LOG],
        month_keys=months,
        subject_keys=counts[Kind.SUBJECT],
    )


def _url(authority: "Authority") -> str:
    from cli.authority import database_url

    return database_url(authority.settings).reveal()
