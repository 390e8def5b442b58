"""The `eventsourcing` package on PostgreSQL, in one process: `measure.py append SECONDS WRITERS` or `measure.py project EVENTS`.

POSTGRES_* of the environment name the database, which is empty. Prints a JSON object of operations per second.
"""

import json
import sys
import threading
from collections.abc import Callable
from time import perf_counter
from typing import Any

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from psycopg.sql import SQL, Identifier

PAGE = 1_000
BATCH = 200
WARM_UP = 0.5
ADDRESS, AGENT = "203.0.113.7", "Mozilla/5.0 (X11; Linux x86_64) " + "x" * 60


class Account(Aggregate):
    def __init__(self, email: str) -> None:
        self.email = email
        self.sign_ins = 0

    @event("SignedIn")
    def sign_in(self, address: str, agent: str) -> None:  # noqa: ARG002 - the event holds them
        self.sign_ins += 1


class Accounts(Application):
    name = "accounts"


class Counts(PostgresTrackingRecorder):
    """A read model of one row, written together with how far it is."""

    def __init__(self, datastore: Any, **others: Any) -> None:
        super().__init__(datastore, **others)
        made = SQL("CREATE TABLE IF NOT EXISTS {}.counted (one int PRIMARY KEY, n bigint NOT NULL)")
        self.sql_create_statements.append(made.format(Identifier(datastore.schema)))

    def count(self, tracking: Tracking) -> None:
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute("INSERT INTO counted VALUES (1, 1) ON CONFLICT (one) DO UPDATE SET n = counted.n + 1", prepare=True)


class Counting(Projection[Counts]):
    name = "counting"

    def process_event(self, domain_event: Any, tracking: Tracking) -> None:  # noqa: ARG002 - each counts the same
        self.view.count(tracking)


def append(seconds: float, writers: int) -> dict[str, float]:
    """Each writer signs in to an account of its own, one event a save; by statements, and by functions in the database."""
    return {
        "append": _appended({}, seconds, writers),
        "append_by_functions": _appended({"POSTGRES_ENABLE_DB_FUNCTIONS": "y"}, seconds, writers),
    }


def _appended(settings: dict[str, str], seconds: float, writers: int) -> float:
    accounts = Accounts(settings)
    counts = [0] * writers
    starts = threading.Barrier(writers)

    def write(number: int) -> None:
        account = Account(f"person-{number}@example.org")
        accounts.save(account)
        starts.wait()
        counted_from = perf_counter() + WARM_UP
        while (now := perf_counter()) < counted_from + seconds:
            account.sign_in(ADDRESS, AGENT)
            accounts.save(account)
            counts[number] += now >= counted_from

    _together(write, writers)
    accounts.close()
    return sum(counts) / seconds


def _together(act: Callable[[int], None], n: int) -> None:
    threads = [threading.Thread(target=act, args=(number,)) for number in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def project(events: int) -> dict[str, float]:
    """Let a projection catch up with what is stored, and read the same without one."""
    accounts = Accounts()
    _fill(accounts, events)
    began = perf_counter()
    with ProjectionRunner(application_class=Accounts, projection_class=Counting, view_class=Counts) as runner:
        runner.wait(events, timeout=300)
        took = perf_counter() - began
    read = _read(accounts)
    accounts.close()
    return {"projection": events / took, "reading": read}


def _fill(accounts: Accounts, events: int) -> None:
    for _ in range(0, events, 2 * BATCH):
        batch = [Account("person@example.org") for _ in range(BATCH)]
        for account in batch:
            account.sign_in(ADDRESS, AGENT)
        accounts.save(*batch)


def _read(accounts: Accounts) -> float:
    """Pages of the notification log, made into events again."""
    began, after, read = perf_counter(), 0, 0
    while page := accounts.recorder.select_notifications(after + 1, PAGE):
        for notification in page:
            accounts.mapper.to_domain_event(notification)
        after, read = page[-1].id, read + len(page)
    return read / (perf_counter() - began)


def main(what: str, *numbers: str) -> None:
    done = append(float(numbers[0]), int(numbers[1])) if what == "append" else project(int(numbers[0]))
    print(json.dumps(done))


if __name__ == "__main__":
    main(*sys.argv[1:])
