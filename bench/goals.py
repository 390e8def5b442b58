"""What is measured, in which unit, and what it has to reach on a machine with two cores that runs everything."""

from collections.abc import Mapping, Sequence
from statistics import median

from msgspec import Struct


class Goal(Struct, frozen=True, kw_only=True):
    """One row of the table. `must` and `aim` are limits from below where more is better, else from above; None where there is none."""

    title: str
    unit: str
    must: float | None = None
    aim: float | None = None
    more_is_better: bool = True


class Figure(Struct, frozen=True, kw_only=True):
    """A goal and what was measured: the median of the rounds, and every round."""

    key: str
    goal: Goal
    value: float
    rounds: tuple[float, ...]

    @property
    def verdict(self) -> str:
        if self.goal.must is None or self.goal.aim is None:
            return ""
        if self._reaches(self.goal.aim):
            return "aim"
        return "must" if self._reaches(self.goal.must) else "MISS"

    @property
    def row(self) -> Mapping[str, object]:
        """For programs."""
        goal = self.goal
        return {
            "key": self.key, "title": goal.title, "unit": goal.unit, "value": round(self.value, 3), "must": goal.must, "aim": goal.aim,
            "verdict": self.verdict, "rounds": [round(value, 3) for value in self.rounds],
        }  # fmt: skip

    def _reaches(self, limit: float) -> bool:
        return self.value >= limit if self.goal.more_is_better else self.value <= limit


def _most(title: str, unit: str, must: float, aim: float) -> Goal:
    return Goal(title=title, unit=unit, must=must, aim=aim, more_is_better=False)


def _least(title: str, unit: str, must: float, aim: float) -> Goal:
    return Goal(title=title, unit=unit, must=must, aim=aim)


GOALS: Mapping[str, Goal] = {
    "append_1": Goal(title="durable single-event commands, 1 caller", unit="1/s"),
    "append_16": Goal(title="durable single-event commands, 16 callers", unit="1/s"),
    "append_128": _least("durable single-event commands, 128 callers", "1/s", 10_000, 25_000),
    "append_p99": _most("append at 1,000/s, p99", "ms", 10, 5),
    "sequencer_cost": _most("sequencer's cost on the append rate", "%", 10, 3),
    "tree_cost": _most("audit tree's cost on the append rate", "%", 5, 2),
    "full_ratio": _least("append rate with many events stored / none", "ratio", 0.85, 0.95),
    "sequenced_p99": _most("commit to sequenced at 1,000/s, p99", "ms", 25, 12),
    "nats_p99": _most("commit to NATS subscriber at 1,000/s, p99", "ms", 60, 20),
    "checkpoint_p99": _most("commit to signed checkpoint at 1,000/s, p99", "ms", 2_000, 1_000),
    "projection_p99": _most("commit to read models at 1,000/s, p99", "ms", 150, 50),
    "rebuild_sessions": _least("rebuild of sessions", "events/s", 50_000, 120_000),
    "rebuild_users": _least("rebuild of users", "events/s", 50_000, 120_000),
    "replay_nowhere": _least("replay to JSON lines, to nowhere", "events/s", 50_000, 150_000),
    "replay_pipe": _least("the same, to another program", "events/s", 50_000, 150_000),
    "verify": _least("audit verify: tree, streams, heads, read models", "events/s", 60_000, 200_000),
    "verify_log": Goal(title="the same without heads and read models", unit="events/s"),
    "verify_mb": _most("audit verify, memory", "MB", 200, 120),
    "export": Goal(title="audit export, read back", unit="events/s"),
    "export_mb": _most("audit export, memory", "MB", 200, 120),
    "verify_offline": Goal(title="SDK: an exported log verified", unit="events/s"),
    "verify_offline_mb": Goal(title="SDK: the same, memory", unit="MB", more_is_better=False),
    "who_can_p99": _most("who could do it then, a page of 1 M users and 10 M events, p99", "ms", 50, 10),
    "hashes": Goal(title="bare Argon2id hashes, all cores", unit="1/s"),
    "logins": Goal(title="logins", unit="1/s"),
    "login_ratio": _least("logins / bare Argon2id hashes", "ratio", 0.75, 0.9),
    "refreshes": _least("refreshes, one API process", "1/s", 2_000, 4_000),
    "sessions": _least("GET /auth/session, one API process", "1/s", 4_000, 9_000),
    "client_tokens": _least("tokens by client credentials (ES256), one API process", "1/s", 1_500, 4_000),
    "introspections": _least("introspections of service tokens, one API process", "1/s", 3_000, 7_000),
    "api_key_checks": _least("API keys checked by introspection, one API process", "1/s", 3_000, 7_000),
    "limits_cost": _most("limits' cost on GET /auth/session", "%", 10, 5),
    "me": Goal(title="GET /me, one API process", unit="1/s"),
    "jwks": Goal(title="GET /.well-known/jwks.json, one API process", unit="1/s"),
    "session_p99": Goal(title="GET /auth/session at 500/s, p99", unit="ms", more_is_better=False),
    "session_p99_flood": Goal(title="the same while a login flood fills the hash pool, p99", unit="ms", more_is_better=False),
    "flood_ratio": _most("p99 with the flood / without", "ratio", 3, 1.5),
    "memory_idle": _most("resident memory of an API process and its hashing process, idle", "MB", 120, 90),
    "memory_flooded": Goal(title="the same while a login flood fills the hash pool", unit="MB", more_is_better=False),
    "memory_loaded": _most("the same after load", "MB", 160, 120),
    "revoked_p50": _most("revocation to refusal by a service, 500/s, p50", "ms", 5, 1),
    "revoked_p99": _most("revocation to refusal by a service, 500/s, p99", "ms", 20, 5),
    "durable_p50": _most("the same with every hint lost, p50", "ms", 20, 8),
    "durable_p99": _most("the same with every hint lost, p99", "ms", 60, 25),
    "away_p50": Goal(title="the same without NATS, by asking Minos, p50", unit="s", more_is_better=False),
    "away_p99": Goal(title="the same without NATS, by asking Minos, p99", unit="s", more_is_better=False),
    "caught_up": _most("all refused once NATS is back after 30 s", "s", 2, 0.5),
    "caught_up_alone": Goal(title="the same of a service that may not ask Minos", unit="s", more_is_better=False),
    "blind": _most("a service that is cut off knows that it is blind", "s", 6, 5),
    "check_known": _most("SDK: a token seen before", "µs", 15, 5),
    "check_new": _most("SDK: a token never seen", "µs", 200, 110),
    "check_ratio": _most("SDK: a known token with revocations / without", "ratio", 1.10, 1.03),
    "check_after_signal": Goal(title="SDK: a known token after something was revoked", unit="µs", more_is_better=False),
    "revocations_mb": _most("SDK: memory of a million live revocations", "MB", 150, 80),
    "breach_filter_mb": _most("list of breached passwords, memory shared by all processes", "MB", 30, 10),
    "breach_filter_us": _most("one password looked for on it, in every spelling", "µs", 50, 25),
    "breach_filter_false": Goal(title="good passwords taken for listed", unit="of 10^6", more_is_better=False),
    "password_checks_ms": Goal(title="list and estimate, added to registering", unit="ms", more_is_better=False),
    "password_estimate_ms": Goal(title="the estimate of a password made to be dear", unit="ms", more_is_better=False),
    "password_history_ms": Goal(title="five earlier passwords, added to a change", unit="ms", more_is_better=False),
    "users_imported": Goal(title="users imported with their hashes", unit="1/s"),
    "start_empty": _most("minos up from an empty folder", "s", 5, 3),
    "start_again": _most("minos up again", "s", 2, 1.2),
}


class Rounds:
    """Collects what each round measured, and gives the figures in the table's order."""

    def __init__(self, goals: Mapping[str, Goal] = GOALS) -> None:
        self._goals = goals
        self._seen: dict[str, list[float]] = {}

    def add(self, **measured: float) -> None:
        """Raises KeyError for a figure the table does not know."""
        for key, value in measured.items():
            _ = self._goals[key]
            self._seen.setdefault(key, []).append(value)

    def figures(self) -> Sequence[Figure]:
        return [
            Figure(key=key, goal=goal, value=median(self._seen[key]), rounds=tuple(self._seen[key]))
            for key, goal in self._goals.items()
            if key in self._seen
        ]
