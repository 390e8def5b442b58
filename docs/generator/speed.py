"""`reference/speed.md`: what keeps each figure that is below its aim from reaching it, of all that was published with a goal."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.report import shown
from docs.generator.markdown import document, table
from docs.generator.measured import JUDGED, REFERENCE, Judged, judged

_INTRODUCTION = """
Of the [published runs](runs.md), every figure that has an aim and does not reach it, with what holds it: Python, PostgreSQL, the disk, or
something that was chosen. What is not in these tables reaches its aim.
"""
_LIMITS = """
- **Python**: one thread of one process runs our code. More processes answer more ([several](../how-to/run-several-processes.md)); a
  single answer is not sooner for it.
- **PostgreSQL**: its processor time for what an append or a question has to touch.
- **Disk**: a flush that must have happened before anything is acknowledged.
- **Chosen**: it could be faster, and would then be worse at something that matters more.
"""
_PYTHON, _POSTGRES, _DISK, _CHOSEN = "Python", "PostgreSQL", "disk", "chosen"
_ONE_PROCESS = "nothing stands out in a profile of the server's loop and sockets, the database's driver and our own code"
_STEPS = "one step after the other, each durable before the next, by programs that share the cores with what appends"
_FOLDED = "each event is decoded, folded and compared in Python; more cores take shares of it"
_LIMIT: Mapping[str, tuple[str, str]] = {
    "append_128": (f"{_PYTHON}, {_POSTGRES}", "of each append: its arguments are encoded; two rows are written, with their indexes"),
    "append_p99": (_DISK, "a flush now and then takes longer than the median by far"),
    "sequencer_cost": (_POSTGRES, "each position is a row updated, which is the price of an order without gaps"),
    "tree_cost": (_PYTHON, "each event is read and hashed once more, on the same cores; publisher and tree each stand alone at this price"),
    "full_ratio": (_DISK, "more pages of the indexes go to the write-ahead log whole after each checkpoint"),
    "sequenced_p99": (f"{_DISK}, {_PYTHON}", _STEPS),
    "nats_p99": (f"{_DISK}, {_PYTHON}", _STEPS),
    "checkpoint_p99": (_CHOSEN, "the tree gives way to requests, and its second place is asked before each checkpoint"),
    "projection_p99": (f"{_DISK}, {_PYTHON}", _STEPS),
    "rebuild_sessions": (_PYTHON, _FOLDED),
    "rebuild_users": (_PYTHON, _FOLDED),
    "replay_nowhere": (_PYTHON, "each event becomes a line of JSON"),
    "replay_pipe": (_PYTHON, "each event becomes a line of JSON"),
    "verify": (_PYTHON, _FOLDED),
    "verify_mb": (_PYTHON, "the interpreter, the libraries, and a page of events at a time"),
    "export_mb": (_PYTHON, "the interpreter, the libraries, and a page of events at a time"),
    "who_can_p99": (_POSTGRES, "the moment is reconstructed from history at each question, with no copy of it kept"),
    "login_ratio": (_PYTHON, "what a sign-in does beside the hash, on the same cores: limits, decisions, a commit, the workers"),
    "refreshes": (_PYTHON, f"{_ONE_PROCESS}; every one is a commit, with workers behind it on the same cores"),
    "sessions": (_PYTHON, _ONE_PROCESS),
    "client_tokens": (_PYTHON, _ONE_PROCESS),
    "introspections": (_PYTHON, _ONE_PROCESS),
    "api_key_checks": (_PYTHON, _ONE_PROCESS),
    "limits_cost": (_PYTHON, "several limits are counted for each request, by caller, network and call"),
    "flood_ratio": (_CHOSEN, "hashes run beside the API on the same cores, at a lower priority"),
    "memory_idle": (_PYTHON, "the interpreter and the libraries, twice: what hashes is a process of its own"),
    "memory_loaded": (_PYTHON, "the same, and what one hash takes"),
    "revoked_p50": (_DISK, "a revocation is durable before anybody hears of it"),
    "revoked_p99": (_DISK, "a revocation is durable before anybody hears of it"),
    "durable_p50": (_CHOSEN, "without the hint it goes the long way: position, stream, signal worker, stream again"),
    "durable_p99": (_CHOSEN, "without the hint it goes the long way: position, stream, signal worker, stream again"),
    "caught_up": (_CHOSEN, "the service that comes back reads what it missed before it believes anything"),
    "blind": (_CHOSEN, "beats come each second, and a single lost one blinds nobody"),
    "check_known": (_PYTHON, "looking up what is revoked for its session, its user and its service"),
    "check_new": (_PYTHON, "one ES256 signature is verified, in OpenSSL, and its claims are read"),
    "check_ratio": (_PYTHON, "looking up what is revoked is not for nothing beside a token that was seen before"),
    "revocations_mb": (_PYTHON, "a million names of what was revoked, as small as they go without giving up exactness"),
    "breach_filter_mb": (_CHOSEN, "the more bits a password has on the list, the fewer good ones are taken for listed"),
    "breach_filter_us": (_PYTHON, "each spelling of the password is hashed and looked up"),
    "start_empty": (f"{_POSTGRES}, {_PYTHON}", "a database is made and migrated, and each program is loaded"),
    "start_again": (f"{_PYTHON}, {_POSTGRES}", "each program is loaded, one after the database answers"),
    "session_persisting": (_PYTHON, _ONE_PROCESS),
    "refresh_persisting": (_PYTHON, f"{_ONE_PROCESS}; every one is a commit"),
    "session_memory": (_PYTHON, f"{_ONE_PROCESS}; the other one asks no database"),
    "refresh_memory": (f"{_PYTHON}, {_DISK}", "the other one keeps everything in its memory, and loses it with the process"),
    "append_store": (f"{_POSTGRES}, {_PYTHON}", "a batch of 16 writers is small, so what any batch costs weighs more"),
    "projection_store": (_PYTHON, _FOLDED),
    "10x_worst": (_POSTGRES, "indexes are up to a level deeper, and fewer of their pages are in its memory"),
    "10x_median": (_POSTGRES, "indexes are up to a level deeper, and fewer of their pages are in its memory"),
    "100x_worst": (_POSTGRES, "indexes are a level or two deeper, and most of their pages come from the system's cache"),
    "100x_median": (_POSTGRES, "indexes are a level or two deeper, and most of their pages come from the system's cache"),
    "locks": (_POSTGRES, "writers of one stream wait for one another; others only for the flush"),
}  # fmt: skip
"""By the key of the figure; of keys that end in a size, by what stands before it."""


def page(folder: Path = REFERENCE) -> str:
    parts = [part for run in JUDGED for part in _run(run, judged(run, folder))]
    return document("What limits each figure", _INTRODUCTION, _LIMITS, *parts)


def limit(key: str) -> tuple[str, str]:
    """Give what holds a figure, and why. Raises KeyError for one of which nothing is said."""
    found = _LIMIT.get(key) or _LIMIT.get(key.rpartition("_")[0])
    if found is None:
        raise KeyError(key)
    return found


def _run(run: str, figures: Sequence[Judged]) -> Sequence[str]:
    below = [figure for figure in figures if figure.verdict not in {"", "aim"}]
    if not below:
        return ()
    rows = [
        (figure.title, f"{shown(figure.value)} {figure.unit}", shown(figure.must), shown(figure.aim), *limit(figure.key))
        for figure in below
    ]
    return f"## {run.capitalize()}", f"From [{run}]({run}.md).", table(["What", "Measured", "Must", "Aim", "Held by", "Why"], rows)
