"""Each thing that `minos doctor` looks at has a state in which it says that it is wrong, or will be, and what to do."""

import dataclasses
import resource
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from adapters.secret import Secret
from adapters.settings import Settings
from cli import (
    address_checks,
    backup_checks,
    certificate_checks,
    key_checks,
    log_checks,
    machine_checks,
    role_checks,
    server_checks,
    stream_checks,
    tree_checks,
)
from cli.finding import Finding
from cli.server_checks import Dead, Server, Slot
from cli.stream_checks import Account, Config, Tier
from migrations.runner import Status
from workers.backup.newest import Newest

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
HERE = Path("/srv/minos")
SETTINGS = Settings(issuer="https://auth.example.org", allowed_hosts=("auth.example.org",), trusted_proxies=("10.0.0.0/24",))
PRODUCTION = replace(SETTINGS, environment="production")
SERVER = Server(
    fsync=True, full_page_writes=True, synchronous_commit="on", wal_level="replica", autovacuum=True, track_counts=True,
    data_checksums=True, most_connections=97, connections=20, role_limit=-1, oldest_xid=1_000, oldest_mxid=0, freeze_at=200_000_000,
    forgotten=0, standby=False, pid=7,
)  # fmt: skip
STATUS = Status(applied=(1, 2), pending=(), unknown=(), edited=())
NEWEST = Newest(made_at=NOW - timedelta(hours=5), name="minos-1", size=9, verified_at=NOW - timedelta(days=9))
STREAM = Config(storage="file")
WELL, WARNED, WRONG = "ok", "warn", "BAD"


def server(**changes: object) -> list[Finding]:
    state = replace(SERVER, **changes)
    return [*server_checks.durable(state), server_checks.connections(state, 2), *server_checks.cleaning(state, [])]


def stream(servers: int = 1, **changes: object) -> list[Finding]:
    return list(stream_checks.kept(replace(STREAM, **changes), servers))


def status(**changes: tuple[int, ...]) -> list[Finding]:
    return [log_checks.migrations(dataclasses.replace(STATUS, **changes))]


def backup(settings: Settings = PRODUCTION, **changes: object) -> list[Finding]:
    return [backup_checks.backup(replace(NEWEST, **changes), settings, NOW)]


def second_place(database: str, place: str = "/srv/minos/second-place") -> list[Finding]:
    return [tree_checks.kept(replace(PRODUCTION, database_url=Secret(database), second_place=place), "kept")]


def proxies(*networks: str, issuer: str = "https://auth.example.org") -> list[Finding]:
    return [address_checks.proxies(replace(SETTINGS, trusted_proxies=networks, issuer=issuer))]


def hosts(*names: str, issuer: str = "https://auth.example.org") -> list[Finding]:
    return [address_checks.hosts(replace(SETTINGS, allowed_hosts=names, issuer=issuer))]


CASES: list[tuple[str, Iterable[Finding], str, str]] = [
    ("disk", [machine_checks.disk(HERE, 1 << 20)], WRONG, "at least 1 is advised"),
    ("disk", [machine_checks.disk(HERE, 1 << 40)], WELL, "1024.0 GiB"),
    ("inodes", [machine_checks.inodes(HERE, 900, 1_000_000)], WRONG, "du --inodes"),
    ("inodes", [machine_checks.inodes(HERE, 20_000, 1_000_000)], WRONG, "du --inodes"),
    ("inodes", [machine_checks.inodes(HERE, 600_000, 1_000_000)], WELL, "free"),
    ("open files", [machine_checks.open_files(1_024)], WARNED, "LimitNOFILE="),
    ("open files", [machine_checks.open_files(resource.RLIM_INFINITY)], WELL, "as many"),
    ("proxies", proxies("0.0.0.0/0"), WRONG, "set MINOS_TRUSTED_PROXIES"),
    ("proxies", proxies("10.0.0.0/8", "2001::/16"), WRONG, "2001::/16 believed"),
    ("proxies", proxies(), WARNED, "set MINOS_TRUSTED_PROXIES"),
    ("proxies", proxies(issuer="http://127.0.0.1:8000"), WELL, "none believed"),
    ("proxies", proxies("10.0.0.0/8"), WELL, "10.0.0.0/8 believed"),
    ("hosts", hosts("other.example.org"), WRONG, "add it to MINOS_ALLOWED_HOSTS"),
    ("hosts", hosts("*.example.org"), WELL, "answered"),
    ("hosts", hosts("[::1]", issuer="http://[::1]:8000"), WELL, "answered"),
    ("log", [address_checks.log_name("old.example.org/log", SETTINGS.issuer)], WARNED, "is this its database?"),
    ("log", [address_checks.log_name("auth.example.org/log", SETTINGS.issuer)], WELL, "is called"),
    ("clock", [role_checks.clock("clock", 2.5, "the database's")], WRONG, "chrony"),
    ("server", server(standby=True), WRONG, "to the primary"),
    ("durability", server(fsync=False), WRONG, "fsync off"),
    ("durability", server(full_page_writes=False), WRONG, "full_page_writes off"),
    ("durability", server(synchronous_commit="local"), WRONG, "ALTER SYSTEM SET"),
    ("durability", server(), WELL, "synchronous_commit on"),
    ("write-ahead log", server(wal_level="minimal"), WARNED, "ALTER SYSTEM SET wal_level"),
    ("checksums", server(data_checksums=False), WARNED, "pg_checksums --enable"),
    ("connections", server(connections=90), WRONG, "raise max_connections"),
    ("connections", server(role_limit=21), WRONG, "CONNECTION LIMIT"),
    ("connections", server(most_connections=60), WARNED, "open up to 81"),
    ("connections", server(), WELL, "20 open, 97 possible"),
    ("autovacuum", server(autovacuum=False), WRONG, "ALTER SYSTEM SET"),
    ("autovacuum", server(track_counts=False), WRONG, "track_counts off"),
    ("transaction ids", server(oldest_xid=400_000_000), WARNED, "vacuumdb --freeze"),
    ("transaction ids", server(oldest_mxid=1_700_000_000), WRONG, "vacuumdb --freeze"),
    ("transaction ids", server(oldest_xid=250_000_000), WELL, "250,000,000"),
    ("prepared", server(forgotten=1), WRONG, "ROLLBACK PREPARED"),
    ("dead rows", server_checks.cleaning(SERVER, [Dead(relname="heads", dead=2_000_000)]), WARNED, "VACUUM"),
    ("replication slots", [server_checks.replication([Slot(slot_name="old", held=5 << 20)])], WARNED, "old (5 MiB)"),
    ("way", [server_checks.pooler(1, 7)], WELL, "max_prepared_statements"),
    ("migrations", status(pending=(3,)), WRONG, "run `minos migrate`"),
    ("migrations", status(edited=(2,)), WRONG, "take the release it was"),
    ("migrations", status(unknown=(3,)), WARNED, "newer release"),
    ("migrations", status(), WELL, "2 applied"),
    ("sequencer", [log_checks.sequencer(9.0)], WRONG, "minos work"),
    ("workers", [log_checks.projector(9.0)], WRONG, "minos projections status"),
    ("parked", [log_checks.parking(2)], WRONG, "minos projections parked"),
    ("reaper", [log_checks.reaper(9 * 86_400.0)], WARNED, "does `reaper` run?"),
    ("partitions", [log_checks.ahead(4, 5)], WRONG, "ensure_partitions"),
    ("partitions", [log_checks.ahead(4, 6)], WELL, "2 ready"),
    ("retention", [log_checks.retention(2)], WARNED, "minos retention run"),
    ("growth", [log_checks.lasting(10 << 30, 1_000, 700, 20 << 30)], WARNED, "lasts 20 days"),
    ("growth", [log_checks.lasting(10 << 30, 1_000, 700, None)], WELL, "in the last week"),
    ("growth", [log_checks.lasting(10 << 30, 700, 700, 1)], WELL, "in the last week"),
    ("signing keys", [key_checks.ages([("access", NOW), ("signals", NOW - timedelta(days=401))], NOW)], WARNED, "--purpose signals`"),
    ("signing keys", [key_checks.ages([("access", NOW)], NOW)], WELL, "1 sign, the oldest for 0 days"),
    ("second place", second_place("postgresql://minos_app@localhost/minos"), WARNED, "to a bucket"),
    ("second place", second_place("postgresql://minos_app@/minos?host=/run/postgresql"), WARNED, "to a bucket"),
    ("second place", second_place("postgresql://minos_app@db.example.org/minos"), WELL, "kept"),
    ("second place", second_place("postgresql://minos_app@localhost/minos", place="s3://records/minos"), WELL, "kept"),
    ("backup", backup(made_at=None), WARNED, "minos backup make"),
    ("backup", backup(SETTINGS, made_at=None), WELL, "none was made"),
    ("backup", backup(made_at=NOW - timedelta(days=3)), WARNED, "minos backup make"),
    ("backup", backup(made_at=NOW - timedelta(days=31)), WRONG, "nothing personal in it opens"),
    ("backup", backup(verified_at=None), WARNED, "minos backup verify"),
    ("backup", backup(), WELL, "last tried 9.0 days ago"),
    ("certificate", [certificate_checks.certificate("MINOS_ISSUER", NOW, NOW)], WRONG, "renew it"),
    ("certificate", [certificate_checks.certificate("MINOS_ISSUER", NOW + timedelta(days=9), NOW)], WARNED, "9 days are left"),
    ("certificate", [certificate_checks.certificate("MINOS_ISSUER", NOW + timedelta(days=60), NOW)], WELL, "2027-01-25"),
    ("stream storage", stream(storage="memory"), WRONG, "in files"),
    ("stream replicas", stream(servers=3), WARNED, "--replicas 3"),
    ("stream replicas", stream(servers=3, num_replicas=3), WELL, "3 of it"),
    ("stream limits", stream(max_bytes=1, max_age=1), WARNED, "max_bytes, max_age"),
    ("stream limits", stream(), WELL, "nothing"),
    ("stream room", [stream_checks.room(Account(storage=90, limits=Tier(max_storage=100)))], WRONG, "disk_storage"),
    ("stream room", [stream_checks.room(Account(storage=90))], WELL, "as much as there is"),
]  # fmt: skip


@pytest.mark.parametrize(("check", "findings", "judged", "says"), CASES, ids=[f"{n}-{case[0]}" for n, case in enumerate(CASES)])
def test_it_says_what_is_wrong_and_what_to_do(check: str, findings: Iterable[Finding], judged: str, says: str) -> None:
    [finding] = [each for each in findings if each.check == check]
    assert (WELL if finding.ok else WARNED if finding.warning else WRONG) == judged
    assert says in finding.detail
