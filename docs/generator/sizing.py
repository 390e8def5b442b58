"""`reference/sizing.md`: what one process does, and what installations of some sizes need, computed from the published figures."""

from collections.abc import Sequence
from pathlib import Path

from adapters.settings import Settings
from bench.growth.calls import CALLS
from bench.report import PARTS, shown
from cli.server_checks import OF_AN_API_PROCESS, OF_THE_WORKERS
from docs.generator import installation
from docs.generator.installation import demand, need
from docs.generator.markdown import document, table
from docs.generator.measured import REFERENCE, Benchmarks, Circumstances, Growth, benchmarks, growth

PEOPLE = (1_000, 10_000, 100_000, 1_000_000)
LOGS = (100_000, 1_000_000, 10_000_000)
_INTRODUCTION = """
Computed from what `minos bench` measured and published; how to go from here to machines is in
[the guide](../how-to/size-an-installation.md). Figures are of that machine, with PostgreSQL, NATS, Minos and what asks all
on it: measure anew on yours before you order any.
"""
_PACED = """
Processor time of API and PostgreSQL for one answer at a steady, slow pace. The faster they come, the more is done at once, and the nearer
each comes to the times above.
"""
_RATES = (
    ("GET /auth/session", "sessions"),
    ("GET /me", "me"),
    ("refresh", "refreshes"),
    ("token by client credentials", "client_tokens"),
    ("introspection of a service token", "introspections"),
    ("introspection of an API key", "api_key_checks"),
    ("the key set", "jwks"),
    ("sign-in with a password", "logins"),
)
_CALLS = (
    ("sign-in with a password", "logins"),
    ("refresh", "refreshes"),
    ("GET /auth/session", "sessions"),
    ("GET /me", "me"),
)
_WALKS = (("rebuild of the sessions", "rebuild_sessions"), ("rebuild of the users", "rebuild_users"), ("`audit verify`", "verify"),
          ("`audit export`", "export"))  # fmt: skip


def page(folder: Path = REFERENCE) -> str:
    figures, sizes = benchmarks(folder), growth(folder)
    return document(
        "Sizing", _INTRODUCTION,
        "## One API process", _taken("benchmarks", figures.circumstances), _rates(figures), _costs(figures),
        "## What people are taken to do", _assumptions(),
        "## What that needs", _needs(figures),
        *_grown(sizes),
        "## How long a log takes", _walks(figures),
    )  # fmt: skip


def _taken(name: str, where: Circumstances) -> str:
    return f"From [{name}]({name}.md): {where.cores} cores, {where.processor}, {where.taken_at:%Y-%m-%d}."


def _rates(figures: Benchmarks) -> str:
    return table(["Call", "A second, without pause"], [(title, shown(figures.value[key])) for title, key in _RATES])


def _costs(figures: Benchmarks) -> str:
    rows = [(title, *(f"{figures.cpu_ms_per_answer[key][part]:.3f}" for part in PARTS)) for title, key in _CALLS]
    memory = (
        f"Memory of a process with the one that hashes for it: {shown(figures.value['memory_idle'])} MB idle, "
        f"{shown(figures.value['memory_loaded'])} MB under load."
    )
    return f"Processor time of one answer in each part, in milliseconds:\n\n{table(['Call', *PARTS], rows)}\n\n{memory}"


def _assumptions() -> str:
    rows = [
        ("people with a client open at the busiest minute", f"{installation.OPEN_SHARE:.0%}"),
        ("people who sign in within that minute", f"{installation.SIGN_INS_SHARE:.1%}"),
        ("refreshes of an open client", f"every {Settings().access_token_ttl} s (`MINOS_ACCESS_TOKEN_TTL`)"),
        ("questions whether its session is live, by services without the SDK", f"{installation.CHECKS_A_MINUTE:g} a minute"),
        ("`GET /me` of it", f"{installation.PAGES_A_MINUTE:g} a minute"),
        ("people who come on a day, and for how long", f"{installation.ACTIVE_SHARE:.0%}, {installation.ACTIVE_MINUTES:g} minutes"),
        ("sign-ins of each of them", f"{installation.SIGN_INS_A_DAY:g} a day"),
        ("share of a core that is planned with", f"{installation.BUSY:.0%}"),
    ]
    return table(["What", "How much"], rows)


def _needs(figures: Benchmarks) -> str:
    demands = [demand(people) for people in PEOPLE]
    needs = [need(each, figures.cpu_ms_per_answer, PARTS) for each in demands]
    rows = [
        *((f"{title}, a second", *(shown(each.per_second[key]) for each in demands)) for title, key in _CALLS),
        *((f"busy cores, {part}", *(f"{each.cores[part]:.3f}" for each in needs)) for part in PARTS),
        ("cores to have in all", *(str(each.cores_to_have) for each in needs)),
        ("API processes", *(str(each.api_processes) for each in needs)),
        ("their memory, MB", *(shown(each.api_processes * figures.value["memory_loaded"]) for each in needs)),
        ("`max_connections`", *(str(each.connections) for each in needs)),
        ("events a day", *(f"{each.events_a_day:,.0f}" for each in demands)),
    ]
    told = (
        f"At least {installation.FEWEST} API processes and as many `minos work`, so that one of each may die. A process of the API opens "
        f"up to {OF_AN_API_PROCESS} connections, `minos work` {OF_THE_WORKERS}; {installation.OTHERS} are for everything else."
    )
    return f"{_by_people('At the busiest minute', rows)}\n\n{told}"


def _grown(sizes: Growth | None) -> Sequence[str]:
    """Disk and memory, once they were measured."""
    if sizes is None:
        return ()
    largest = sizes.largest
    each = [
        ("a user, with ten events", f"{largest.bytes_per_user:,.0f}"),
        ("an event, in the log with its indexes and tree and in the list of events", f"{largest.bytes_per_event:,.0f}"),
        ("an event in NATS", f"{largest.streamed_per_event:,.0f}"),
    ]
    rows = [
        ("database with all of them, GB", *(_gigabytes(people * largest.bytes_per_user) for people in PEOPLE)),
        ("more in a year", *_a_year(largest.bytes_per_event)),
        ("NATS, more in a year", *_a_year(largest.streamed_per_event)),
    ]
    parts = [(part, shown(megabytes)) for part, megabytes in largest.memory.items()]
    costs = [(call.title, f"{largest.calls[call.key].cpu_ms:.2f}") for call in CALLS if call.key in largest.calls]
    return (
        "## Disk and memory", f"{_taken('growth', sizes.circumstances)} With {largest.users:,} users:",
        table(["What", "Bytes"], each), _by_people("Disk", rows),
        "The year is that of what people are taken to do, before `minos retention run` took anything out.",
        table(["Part, after load", "MB"], parts),
        _PACED,
        table(["Call", "ms"], costs),
    )  # fmt: skip


def _a_year(bytes_per_event: float) -> Sequence[str]:
    return [_gigabytes(365 * demand(people).events_a_day * bytes_per_event) for people in PEOPLE]


def _walks(figures: Benchmarks) -> str:
    rows = [(title, *(_time(events / figures.value[key]) for events in LOGS)) for title, key in _WALKS]
    return table(["What", *(f"{events:,} events" for events in LOGS)], rows)


def _by_people(title: str, rows: Sequence[Sequence[str]]) -> str:
    return table([title, *(f"{people:,} people" for people in PEOPLE)], rows)


def _gigabytes(size: float) -> str:
    return shown(size / 1e9)


def _time(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 120 else f"{seconds:.0f} s"
