"""What the dashboards show: for each its rows, for each row its panels, for each panel its unit and queries with their legends."""

from collections.abc import Sequence
from typing import NamedTuple


class Panel(NamedTuple):
    """`unit` is one of Grafana's. `queries` are PromQL and legend. A `stat` is one number; `worst` is the value from which it is red."""

    title: str
    unit: str
    queries: Sequence[tuple[str, str]]
    worst: float | None = None


class Dashboard(NamedTuple):
    uid: str
    title: str
    about: str
    rows: Sequence[tuple[str, Sequence[Panel]]]


DASHBOARDS = (
    Dashboard("minos-overview", "Minos: overview", "Requests by route: how many, how many fail, how long they take.", (
        ("Now", (
            Panel("Requests", "reqps", (("sum(minos:http_requests:rate5m)", "requests"),)),
            Panel("Errors", "percentunit", (("minos:http_error_share:rate5m", "5xx"),), worst=0.02),
            Panel("Slower than a second", "percentunit", (("minos:http_slow_share:rate5m", "slow"),), worst=0.144),
            Panel("Workers that do not run", "short", (("count(minos_worker_ready < 1) or vector(0)", "workers"),), worst=1),
        )),
        ("By route", (
            Panel("Requests", "reqps", (("topk(10, minos:http_requests:rate5m)", "{{method}} {{route}}"),)),
            Panel("5xx", "reqps", (("topk(10, minos:http_errors:rate5m > 0)", "{{method}} {{route}}"),)),
            Panel("99th percentile", "s", (("topk(10, minos:http_request_seconds:p99_5m)", "{{method}} {{route}}"),)),
        )),
        ("By status", (
            Panel("Answers", "reqps", (("sum by (status) (rate(minos_http_requests_total[5m]))", "{{status}}"),)),
            Panel("Refused by a limit", "reqps", (
                ("sum by (operation, kind) (rate(minos_rate_limited_total[5m]))", "{{operation}} by {{kind}}"),
            )),
        )),
    )),
    Dashboard("minos-sign-ins", "Minos: sign-ins and attacks", "Who gets in, who does not, and what looks like somebody guessing.", (
        ("Signing in", (
            Panel("Sign-ins by outcome", "reqps", (("sum by (outcome) (rate(minos_sign_ins_total[5m]))", "{{outcome}}"),)),
            Panel("Refreshes by outcome", "reqps", (("sum by (outcome) (rate(minos_refreshes_total[5m]))", "{{outcome}}"),)),
        )),
        ("Attacks", (
            Panel("Accounts made to wait, an hour", "short", (("sum(increase(minos_sign_in_lockouts_total[1h]))", "lock-outs"),), worst=20),
            Panel("Replaced refresh tokens that came back, an hour", "short", (
                ("sum(increase(minos_refresh_token_reuse_total[1h]))", "reused"),
            ), worst=3),
            Panel("Keys of people mended, a day", "short", (("sum(increase(minos_subject_keys_mended_total[1d]))", "mended"),), worst=1),
        )),
        ("Password hashing", (
            Panel("Waiting", "short", (("sum(minos_password_hash_queue)", "queue"),)),
            Panel("Time, 95th percentile", "s", (
                ("histogram_quantile(0.95, sum by (phase, le) (rate(minos_password_hash_seconds_bucket[5m])))", "{{phase}}"),
            )),
            Panel("Refused", "reqps", (("sum by (why) (rate(minos_password_hash_refused_total[5m]))", "{{why}}"),)),
        )),
        ("Machines", (
            Panel("Tokens for service accounts", "reqps", (("sum by (outcome) (rate(minos_client_tokens_total[5m]))", "{{outcome}}"),)),
            Panel("Introspections", "reqps", (("sum by (outcome) (rate(minos_introspections_total[5m]))", "{{outcome}}"),)),
            Panel("Connections to NATS asked about", "reqps", (
                ("sum by (outcome) (rate(minos_nats_connections_total[5m]))", "{{outcome}}"),
            )),
        )),
    )),
    Dashboard("minos-log", "Minos: event store and log", "Commands, their events, and how far the log is signed.", (
        ("Commands", (
            Panel("Answered by the store", "reqps", (("sum by (result) (rate(minos_store_appends_total[5m]))", "{{result}}"),)),
            Panel("Time of an append", "s", (
                ("histogram_quantile(0.5, sum by (le) (rate(minos_store_append_seconds_bucket[5m])))", "median"),
                ("histogram_quantile(0.99, sum by (le) (rate(minos_store_append_seconds_bucket[5m])))", "99th percentile"),
            )),
            Panel("Sent again alone", "reqps", (("sum by (why) (rate(minos_store_retries_total[5m]))", "{{why}}"),)),
        )),
        ("Round trips", (
            Panel("Time, 99th percentile", "s", (
                ("histogram_quantile(0.99, sum by (kind, le) (rate(minos_store_flush_seconds_bucket[5m])))", "{{kind}}"),
            )),
            Panel("Sent together, mean", "short", (
                (
                    "sum by (kind) (rate(minos_store_flush_size_sum[5m])) / sum by (kind) (rate(minos_store_flush_size_count[5m]))",
                    "{{kind}}",
                ),
            )),
        )),
        ("Events", (
            Panel("Appended and sequenced", "cps", (
                ("sum(rate(minos_events_appended_total[5m]))", "appended"), ("sum(rate(minos_sequenced_events_total[5m]))", "sequenced"),
            )),
            Panel("By type", "cps", (("topk(10, sum by (type) (rate(minos_events_appended_total[5m])))", "{{type}}"),)),
            Panel("Sequencer step, 99th percentile", "s", (
                ("histogram_quantile(0.99, sum by (le) (rate(minos_sequencer_step_seconds_bucket[5m])))", "step"),
            )),
        )),
        ("Signed", (
            Panel("Events not under a checkpoint", "short", (("max(minos_log_size) - max(minos_checkpoint_size)", "events"),)),
            Panel("Checkpoint lag", "s", (("max(minos_checkpoint_lag_seconds)", "lag"),)),
            Panel("Witnesses", "cps", (("sum by (witness, outcome) (rate(minos_witness_answers_total[15m]))", "{{witness}} {{outcome}}"),)),
        )),
    )),
    Dashboard("minos-downstream", "Minos: downstream push", "How soon services hear of what was taken away.", (
        ("State", (
            Panel("Signals halted", "short", (("max(minos_signals_halted)", "halted"),), worst=1),
            Panel("Publisher halted", "short", (("max(minos_publisher_halted)", "halted"),), worst=1),
            Panel("State by class", "short", (("max by (class, state) (minos_signals_state) > 0", "{{class}}: {{state}}"),)),
        )),
        ("Signals", (
            Panel("Sent", "cps", (("sum by (class) (rate(minos_signals_sent_total[5m]))", "{{class}}"),)),
            Panel("Waiting for NATS", "short", (("max by (class) (minos_signals_behind)", "{{class}}"),)),
            Panel("Events not folded", "short", (("max(minos_signals_lag_events)", "lag"),)),
        )),
        ("Events", (
            Panel("Published behind the log", "short", (("max(minos_publisher_lag_events)", "events"),)),
            Panel("Age when published", "s", (("max(minos_publisher_lag_seconds)", "age"),)),
            Panel("Streams over HTTP", "short", (("sum(minos_signal_streams)", "signals"), ("sum(minos_audit_replays)", "replays"))),
        )),
    )),
    Dashboard("minos-stores", "Minos: PostgreSQL, NATS and disk", "What Minos needs to run, as Minos sees it.", (
        ("PostgreSQL", (
            Panel("Connections taken", "percentunit", (
                ("max(minos_database_connections) / max(minos_database_connections_most)", "taken"),
            ), worst=0.85),
            Panel("Size of the database", "bytes", (("max(minos_database_size_bytes)", "size"),)),
            Panel("Oldest transaction not frozen", "short", (("max(minos_database_oldest_transaction_age)", "transactions"),), worst=1e9),
        )),
        ("Disk", (
            Panel("Free", "percentunit", (("max(minos_disk_free_bytes) / max(minos_disk_size_bytes)", "free"),)),
            Panel("Free", "bytes", (("max(minos_disk_free_bytes)", "free"),)),
        )),
        ("NATS", (
            Panel("Publisher runs", "short", (('min(minos_worker_ready{worker="publisher"})', "publisher"),)),
            Panel("Signaller runs", "short", (('min(minos_worker_ready{worker="signaller"})', "signaller"),)),
            Panel("Position of the stream and of the log", "short", (
                ("max(minos_publisher_position)", "stream"), ("max(minos_log_size)", "log"),
            )),
        )),
    )),
    Dashboard("minos-workers", "Minos: workers", "Read models, mail, and what falls due.", (
        ("Workers", (
            Panel("Runs", "short", (("min by (worker) (minos_worker_ready)", "{{worker}}"),)),
        )),
        ("Read models", (
            Panel("Behind the log", "short", (("max by (projection) (minos_projection_lag_events)", "{{projection}}"),)),
            Panel("Age of the oldest event of a batch", "s", (("max by (projection) (minos_projection_lag_seconds)", "{{projection}}"),)),
            Panel("Streams held back", "short", (("sum(minos_parked_streams)", "streams"),), worst=1),
            Panel("Stopped", "short", (("sum(minos_projection_paused)", "read models"),), worst=1),
        )),
        ("Mail", (
            Panel("Waiting", "short", (("max(minos_mail_waiting)", "waiting"), ("max(minos_mail_retried)", "tried before"))),
            Panel("Oldest", "s", (("max(minos_mail_oldest_seconds)", "oldest"),), worst=900),
            Panel("Done with", "cps", (("sum by (letter, state) (rate(minos_mails_total[5m]))", "{{letter}} {{state}}"),)),
        )),
        ("Keeping", (
            Panel("Done when due", "cps", (("sum by (duty) (rate(minos_done_when_due_total[15m]))", "{{duty}}"),)),
            Panel("Rows pruned", "cps", (("sum by (kind) (rate(minos_pruned_rows_total[15m]))", "{{kind}}"),)),
            Panel("Signing keys sign since", "s", (
                ("time() - min by (purpose) (minos_signing_key_active_since_timestamp_seconds)", "{{purpose}}"),
            )),
            Panel("Last backup is old", "s", (("time() - max(minos_backup_made_timestamp_seconds != 0)", "age"),)),
            Panel("Next service token ends in", "s", (("min(minos_service_token_next_end_timestamp_seconds > 0) - time()", "ends in"),)),
        )),
    )),
)  # fmt: skip
