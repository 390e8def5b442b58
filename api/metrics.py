"""What the API counts. With several processes the files of all are added up by whoever serves them."""

from functools import lru_cache

from prometheus_client import Counter, Gauge, Histogram

from adapters.hashing.queue import HashRefusal
from adapters.store_metrics import Flushed, Retried
from commands.ports import AppendResult, Commit

_FAST = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
_REUSED, _LOCKED = "session.refresh_reused.v1", "sign_in_guard.locked.v1"
_SIZES = (1, 2, 4, 8, 16, 32, 64)

REQUESTS = Counter("minos_http_requests", "Requests answered.", ("method", "route", "status"))
SECONDS = Histogram("minos_http_request_seconds", "Time to answer a request.", ("method", "route"), buckets=_FAST)
SIGN_INS = Counter("minos_sign_ins", "Sign-ins by outcome: signed_in, or the code of the refusal.", ("outcome",))
REFRESHES = Counter("minos_refreshes", "Refreshes by outcome: issued, or the code of the refusal.", ("outcome",))
CLIENT_TOKENS = Counter("minos_client_tokens", "Tokens asked for by service accounts: issued, or the code of the refusal.", ("outcome",))
INTROSPECTIONS = Counter("minos_introspections", "Questions about tokens: active, inactive, or the code of the refusal.", ("outcome",))
NATS_CONNECTIONS = Counter(
    "minos_nats_connections", "Connections to NATS that a server asked about: let_in, or the code of the refusal.", ("outcome",)
)
REFRESH_REUSE = Counter("minos_refresh_token_reuse", "Refresh tokens that came back after being replaced.")
LOCKOUTS = Counter("minos_sign_in_lockouts", "Times a real account's sign-in was made to wait.")
EVENTS = Counter("minos_events_appended", "Events appended by this process, by type.", ("type",))
HASH_QUEUE = Gauge("minos_password_hash_queue", "Password hashes waiting for their turn.", multiprocess_mode="livesum")
HASH_REFUSED = Counter(
    "minos_password_hash_refused",
    "Password hashes not made: the queue full, or one network's share; waited too long; the process ended.",
    ("why",),
)
APPENDS = Counter("minos_store_appends", "Commands answered by the event store.", ("result",))
APPEND_SECONDS = Histogram("minos_store_append_seconds", "Time from handing in a command to its answer.", buckets=_FAST)
FLUSH_SIZE = Histogram("minos_store_flush_size", "Things sent to Postgres together.", ("kind",), buckets=_SIZES)
FLUSH_SECONDS = Histogram("minos_store_flush_seconds", "Time of one round trip to Postgres.", ("kind",), buckets=_FAST)
RETRIES = Counter("minos_store_retries", "Commands sent again alone.", ("why",))


SIGNAL_STREAMS = Gauge("minos_signal_streams", "Streams of signals over HTTP that are open.", multiprocess_mode="livesum")
AUDIT_REPLAYS = Gauge("minos_audit_replays", "Replays of the log over HTTP that are open.", multiprocess_mode="livesum")
LIMITED = Counter("minos_rate_limited", "Requests refused by a limit: of which operation, and what it counts.", ("operation", "kind"))
LIMITS_SHARED = Gauge(
    "minos_limits_shared", "API processes that share what they count for limits with the others; the rest count alone.",
    multiprocess_mode="livesum",
)  # fmt: skip
HASH_SECONDS = Histogram("minos_password_hash_seconds", "Time of one password hash, and waiting before it.", ("phase",), buckets=_FAST)
_HASH_WAITED, _HASH_TOOK = HASH_SECONDS.labels("waiting"), HASH_SECONDS.labels("hashing")


@lru_cache(maxsize=2048)
def requests(method: str, route: str, status: int) -> Counter:
    return REQUESTS.labels(method, route, str(status))


@lru_cache(maxsize=512)
def seconds(method: str, route: str) -> Histogram:
    return SECONDS.labels(method, route)


@lru_cache(maxsize=512)
def labelled(counter: Counter, value: str) -> Counter:
    """Give the counter for a value of its label. For values that no caller can make up: each stays for good."""
    return counter.labels(value)


def count_events(commit: Commit) -> None:
    """Count what an append made happen."""
    for write in commit.writes:
        for event in write.events:
            labelled(EVENTS, event.type).inc()
            if event.type == _REUSED:
                REFRESH_REUSE.inc()
            elif event.type == _LOCKED:
                LOCKOUTS.inc()


@lru_cache(maxsize=512)
def limited(operation: str, kind: str) -> Counter:
    return LIMITED.labels(operation, kind)


class StoreFigures:
    """adapters.store_metrics.StoreMetrics, as Prometheus figures."""

    def flushed(self, kind: Flushed, size: int, seconds: float) -> None:
        flush_size, flush_seconds = _flush(kind)
        flush_size.observe(size)
        flush_seconds.observe(seconds)

    def appended(self, result: AppendResult, seconds: float) -> None:
        labelled(APPENDS, result.value).inc()
        APPEND_SECONDS.observe(seconds)

    def retried(self, why: Retried) -> None:
        labelled(RETRIES, why).inc()


@lru_cache(maxsize=16)
def _flush(kind: str) -> tuple[Histogram, Histogram]:
    return FLUSH_SIZE.labels(kind), FLUSH_SECONDS.labels(kind)


class HashFigures:
    """adapters.hashing.queue.HashMetrics, as Prometheus figures."""

    def queued(self, depth: int) -> None:
        HASH_QUEUE.set(depth)

    def started(self, waited: float) -> None:
        _HASH_WAITED.observe(waited)

    def finished(self, took: float) -> None:
        _HASH_TOOK.observe(took)

    def refused(self, why: HashRefusal) -> None:
        labelled(HASH_REFUSED, why).inc()
