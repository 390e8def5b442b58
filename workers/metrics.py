"""What the workers tell Prometheus. Where several copies run, the value of whoever spoke last is the true one."""

from collections.abc import Mapping
from datetime import datetime

from prometheus_client import Counter, Gauge, Histogram

from domain.signing_key import Purpose
from projections.service_tokens import Endings
from workers.integrator.collector import Witnessed
from workers.integrator.correspondent import Outcome
from workers.integrator.integrator import Integrated
from workers.keykeeper import Kept
from workers.mailer.ledger import Figures
from workers.mailer.mailer import Settled
from workers.projector import Progress
from workers.publisher import Published
from workers.sequencer import Step
from workers.signals.folder import Folded
from workers.signals.sender import Sent

READY = Gauge("minos_worker_ready", "1 while the worker runs, 0 while it waits or is halted.", ["worker"], multiprocess_mode="livemin")
LOG_SIZE = Gauge("minos_log_size", "Events that have a position.", multiprocess_mode="livemostrecent")
SEQUENCED = Counter("minos_sequenced_events", "Events given a position.")
SEQUENCER_STEP = Histogram(
    "minos_sequencer_step_seconds", "Time of one sequencer step.", buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5)
)
PUBLISHER_POSITION = Gauge("minos_publisher_position", "Last position in the stream.", multiprocess_mode="livemostrecent")
PUBLISHER_LAG = Gauge("minos_publisher_lag_events", "Sequenced events not yet published.", multiprocess_mode="livemostrecent")
PUBLISHER_LAG_SECONDS = Gauge(
    "minos_publisher_lag_seconds", "Age of the oldest event of the last batch when it was published.", multiprocess_mode="livemostrecent"
)
PUBLISHER_HALTED = Gauge("minos_publisher_halted", "1 while stream and log contradict each other.", multiprocess_mode="livemax")
TREE_SIZE = Gauge("minos_tree_size", "Events that are in the audit tree.", multiprocess_mode="livemostrecent")
CHECKPOINT_SIZE = Gauge("minos_checkpoint_size", "Events under the newest checkpoint.", multiprocess_mode="livemostrecent")
CHECKPOINT_LAG_SECONDS = Gauge(
    "minos_checkpoint_lag_seconds", "Age of the oldest event under the newest checkpoint and no earlier one, when that was published.",
    multiprocess_mode="livemostrecent",
)  # fmt: skip
INTEGRATOR_HALTED = Gauge(
    "minos_integrator_halted",
    "1 while the log does not continue what was published of it: nothing is signed.",
    multiprocess_mode="livemax",
)
COSIGNED_SIZE = Gauge(
    "minos_cosigned_size", "Events under the newest checkpoint that the quorum of witnesses cosigned; 0 without a policy.",
    multiprocess_mode="livemostrecent",
)  # fmt: skip
COSIGNED_WAITING_SECONDS = Gauge(
    "minos_cosigned_waiting_seconds", "Age of the oldest checkpoint behind that one; 0 where the newest is cosigned.",
    multiprocess_mode="livemostrecent",
)  # fmt: skip
WITNESS_ANSWERS = Counter(
    "minos_witness_answers", "What each witness made of a checkpoint: cosigned, ahead, refused or away.", ["witness", "outcome"]
)
PROJECTION_POSITION = Gauge(
    "minos_projection_position", "Last position in the read model.", ["projection", "generation"], multiprocess_mode="livemostrecent"
)
PROJECTION_LAG = Gauge(
    "minos_projection_lag_events", "Sequenced events not yet in the read model.", ["projection", "generation"],
    multiprocess_mode="livemostrecent",
)  # fmt: skip
PROJECTION_LAG_SECONDS = Gauge(
    "minos_projection_lag_seconds", "Age of the oldest event of the last batch when it was in the read model.",
    ["projection", "generation"], multiprocess_mode="livemostrecent",
)  # fmt: skip
PARKED = Gauge("minos_parked_streams", "Streams held back from a read model.", ["projection"], multiprocess_mode="livemostrecent")
PAUSED = Gauge("minos_projection_paused", "1 while a read model is stopped.", ["projection"], multiprocess_mode="livemostrecent")
DATABASE_SIZE = Gauge("minos_database_size_bytes", "Size of the database.", multiprocess_mode="livemostrecent")
CONNECTIONS = Gauge("minos_database_connections", "Connections to the PostgreSQL server, everybody's.", multiprocess_mode="livemostrecent")
CONNECTIONS_MOST = Gauge(
    "minos_database_connections_most", "Connections that the PostgreSQL server allows at a time, those kept for administrators left out.",
    multiprocess_mode="livemostrecent",
)  # fmt: skip
OLDEST_XID = Gauge(
    "minos_database_oldest_transaction_age", "Transactions since the oldest that is not frozen: at two thousand million PostgreSQL stops.",
    multiprocess_mode="livemostrecent",
)  # fmt: skip
DISK_FREE = Gauge("minos_disk_free_bytes", "Room left on the disk of MINOS_DATA_DIR.", multiprocess_mode="livemin")
DISK_SIZE = Gauge("minos_disk_size_bytes", "Size of the disk of MINOS_DATA_DIR.", multiprocess_mode="livemin")
BACKUP_MADE = Gauge(
    "minos_backup_made_timestamp_seconds", "When `minos backup make` last ended, since the epoch; 0 where it never did.",
    multiprocess_mode="livemostrecent",
)  # fmt: skip
PRUNED = Counter("minos_pruned_rows", "Rows deleted because their time was over.", ["kind"])
DONE_WHEN_DUE = Counter("minos_done_when_due", "Things done because their time had come.", ["duty"])

SUBJECT_KEYS_MOVED = Counter("minos_subject_keys_rewrapped", "Keys of people that were wrapped by another month's key.")
SUBJECT_KEYS_MENDED = Counter(
    "minos_subject_keys_mended",
    "Keys of people that held nonsense, and were put back from what they were before. More than 0 is an attack.",
)
MONTH_KEYS = Gauge("minos_month_keys", "Months whose key is there.", multiprocess_mode="livemostrecent")

MAIL_WAITING = Gauge("minos_mail_waiting", "Mails not sent yet.", multiprocess_mode="livemostrecent")
MAIL_OLDEST = Gauge("minos_mail_oldest_seconds", "Age of the oldest mail not sent yet; 0 without any.", multiprocess_mode="livemostrecent")
MAIL_RETRIED = Gauge("minos_mail_retried", "Mails not sent yet that were tried before.", multiprocess_mode="livemostrecent")
MAILS = Counter("minos_mails", "Mails that are done with: sent, failed for good, or dropped.", ["letter", "state"])

TOKENS_ENDING = Gauge(
    "minos_service_tokens_ending", "Service tokens in the last fifth of their life, or its last 14 days where that is less.",
    multiprocess_mode="livemostrecent",
)  # fmt: skip
TOKEN_ENDS = Gauge(
    "minos_service_token_next_end_timestamp_seconds", "When the first of all service tokens ends, since the epoch; 0 without any.",
    multiprocess_mode="livemostrecent",
)  # fmt: skip

SIGNING_SINCE = Gauge(
    "minos_signing_key_active_since_timestamp_seconds", "Since when the oldest key that signs does so, since the epoch.", ["purpose"],
    multiprocess_mode="livemostrecent",
)  # fmt: skip

SIGNALS_POSITION = Gauge("minos_signals_position", "Last position in the set of live signals.", multiprocess_mode="livemostrecent")
SIGNALS_LAG = Gauge("minos_signals_lag_events", "Sequenced events not yet in the set of live signals.", multiprocess_mode="livemostrecent")
SIGNALS_HALTED = Gauge("minos_signals_halted", "1 while an event cannot be told to services.", multiprocess_mode="livemax")
SIGNALS = Counter("minos_signals", "Signals that came into the set of what services have to know.")
SIGNALS_SENT = Counter("minos_signals_sent", "Signals that NATS has acknowledged.", ["class"])
SIGNALS_BEHIND = Gauge("minos_signals_behind", "Signals that wait for NATS.", ["class"], multiprocess_mode="livemostrecent")
SIGNALS_EPOCH = Gauge(
    "minos_signals_epoch", "Rises whenever all that holds had to be sent anew.", ["class"], multiprocess_mode="livemostrecent"
)  # fmt: skip
SIGNALS_STATE = Gauge(
    "minos_signals_state", "1 for the state that services are told of: running, catching_up or halted.", ["class", "state"],
    multiprocess_mode="livemostrecent",
)  # fmt: skip
STATES = ("running", "catching_up", "halted")


def signals_folded(state: Folded) -> None:
    SIGNALS_HALTED.set(state.halted is not None)
    if state.halted is None and not state.standing_by:
        SIGNALS_POSITION.set(state.position)
        SIGNALS_LAG.set(state.lag_events)
        SIGNALS.inc(state.rows)


def signals_sent(state: Sent) -> None:
    SIGNALS_SENT.labels(state.of_class).inc(state.count)
    SIGNALS_BEHIND.labels(state.of_class).set(state.behind)
    SIGNALS_EPOCH.labels(state.of_class).set(state.epoch)
    for each in STATES:
        SIGNALS_STATE.labels(state.of_class, each).set(each == state.state)


def token_ends(seen: Endings) -> None:
    TOKENS_ENDING.set(seen.soon)
    TOKEN_ENDS.set(0 if seen.first_at is None else seen.first_at.timestamp())


def signing_since(purposes: Mapping[Purpose, datetime]) -> None:
    for purpose, since in purposes.items():
        SIGNING_SINCE.labels(purpose).set(since.timestamp())


def done_when_due(duty: str, count: int) -> None:
    DONE_WHEN_DUE.labels(duty).inc(count)


def pruned(kind: str, count: int) -> None:
    PRUNED.labels(kind).inc(count)


def keys_kept(kept: Kept) -> None:
    SUBJECT_KEYS_MOVED.inc(kept.moved)
    SUBJECT_KEYS_MENDED.inc(kept.mended)
    MONTH_KEYS.set(kept.months)


def mail_waits(figures: Figures) -> None:
    MAIL_WAITING.set(figures.waiting)
    MAIL_OLDEST.set(figures.oldest_s)
    MAIL_RETRIED.set(figures.tried)


def mail_settled(settled: Settled) -> None:
    MAILS.labels(settled.letter, settled.state).inc()


def sequenced(step: Step) -> None:
    SEQUENCED.inc(step.added)
    SEQUENCER_STEP.observe(step.seconds)
    LOG_SIZE.set(step.size)


def published(state: Published) -> None:
    PUBLISHER_HALTED.set(state.halted is not None)
    PUBLISHER_POSITION.set(state.position)
    PUBLISHER_LAG.set(state.lag_events)
    PUBLISHER_LAG_SECONDS.set(state.lag_s)


def integrated(state: Integrated) -> None:
    INTEGRATOR_HALTED.set(state.halted is not None)
    if state.halted is None and state.away is None:
        TREE_SIZE.set(state.size)
        CHECKPOINT_SIZE.set(state.published)
    if state.lag_s is not None:
        CHECKPOINT_LAG_SECONDS.set(state.lag_s)


def witnessed(state: Witnessed) -> None:
    COSIGNED_SIZE.set(state.size)
    COSIGNED_WAITING_SECONDS.set(state.waiting_s)


def witness_answered(witness: str, outcome: Outcome) -> None:
    WITNESS_ANSWERS.labels(witness, outcome).inc()


def projected(state: Progress) -> None:
    labels = (state.projection, str(state.generation))
    PROJECTION_POSITION.labels(*labels).set(state.position)
    PROJECTION_LAG.labels(*labels).set(state.lag_events)
    PROJECTION_LAG_SECONDS.labels(*labels).set(state.lag_s)
