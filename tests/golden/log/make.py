"""Write the next stored log, with histories of every kind of event that no stored log has: `python -m tests.golden.log.make`.

A stored log is never written again: what was once in somebody's database stays as it is.
"""

import random
import sys
from collections.abc import Iterator, Sequence
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from msgspec.structs import replace

from domain.codec import EVENT_TYPES, encode_event, key_of, tag_of
from domain.errors import Refused
from domain.event import Event
from tests.domain import examples as ex
from tests.domain.histories import WISHES
from tests.golden.examples import BY_TAG
from tests.golden.log.stored import FOLDER, StoredRow, encoded, stored_logs

STEPS, TRIES, AT_LEAST = 9, 60, 2
"""Wishes of a history; histories tried for a kind of event; histories of a category."""
GAP = 7
"""One in so many ids is left out, as after a transaction that was rolled back."""
ALONE = frozenset({"administrators", "bootstrap", "log", "audit"})
"""Categories of one stream, named as they are."""
NAMES: dict[str, str] = {"role": ex.EDITOR, "audience": ex.TASKS, "client": ex.REPORTER, "signing_key": ex.KID}


def main() -> None:
    stored = {row.type for rows in stored_logs().values() for row in rows}
    missing = set(EVENT_TYPES) - stored
    if not missing:
        return
    number = len(stored_logs()) + 1
    rows = list(_placed(_histories({tag.partition(".")[0] for tag in missing}, missing), seed=number))
    path = FOLDER / f"{number:03}.ndjson"
    path.write_bytes(b"".join(encoded(row) + b"\n" for row in rows))
    sys.stdout.write(f"{path.name}: {len(rows)} events\n")


def _histories(categories: set[str], missing: set[str]) -> list[list[StoredRow]]:
    found: list[list[StoredRow]] = []
    for category in sorted(categories):
        wanted = {tag for tag in missing if tag.startswith(f"{category}.")}
        kept: list[list[Event]] = []
        for number in range(1 if category in ALONE else TRIES):
            events = _lived(category, random.Random(f"{category} {number}"))
            tags = {tag_of(event) for event in events}
            if tags & wanted or len(kept) < AT_LEAST:
                kept.append(events)
                wanted -= tags
        # What no wish leads to ends a history that there is, as an example.
        for n, tag in enumerate(sorted(wanted)):
            kept[n % len(kept)].append(BY_TAG[tag])
        found.extend(_rows(category, events, number) for number, events in enumerate(kept, 1))
    return found


def _lived(category: str, chance: random.Random) -> list[Event]:
    """Decide at random."""
    decider, wishes = WISHES[category]
    state, at = decider.initial, ex.NOW
    past: list[Event] = []
    for wish in (wishes[0], *(chance.choice(wishes) for _ in range(STEPS))):
        at += timedelta(seconds=chance.randint(0, 2_000))
        try:
            events = wish.decision(state, **wish.facts, at=at)
        except Refused:
            continue
        state = decider.fold(events, state)
        past.extend(events)
    return past


def _rows(category: str, events: Sequence[Event], number: int) -> list[StoredRow]:
    """The events as rows of a stream of its own."""
    stream = category if category in ALONE else _other(f"{category}-{ex.ADA}", number)
    return [
        StoredRow(
            append_id=0,
            stream=stream,
            version=version,
            type=tag_of(event),
            event_id=_named(f"{stream} {version}"),
            recorded_at=event.at,
            actor=_other(f"user:{ex.ADA}", number),
            session_id=None if version % 3 else UUID(_other(str(ex.SESSION), number)),
            command_id=_named(f"command {stream} {version}"),
            correlation_id=_named(f"correlation {stream} {version}"),
            causation_id=None if version == 1 else _named(f"{stream} {version - 1}"),
            key_id=None if (key := key_of(event)) is None else UUID(_other(str(key), number)),
            payload=_other(encode_event(event).decode(), number, category).encode(),
        )
        for version, event in enumerate(events, 1)
    ]


def _other(text: str, number: int, category: str = "") -> str:
    """Tell apart, by the number of their stream, the ids that all examples share, and the name that things of a category go by."""
    text = text.replace("0192f0c1-0000-", f"0192f0c1-{number:04}-")
    name = NAMES.get(category)
    return text if name is None else text.replace(f'"{name}"', f'"{name[:-1]}{number}"')


def _placed(histories: list[list[StoredRow]], *, seed: int) -> Iterator[StoredRow]:
    """Mix the streams, each in its own order, and give ids with gaps."""
    chance = random.Random(seed)
    left, append_id = [list(rows) for rows in histories], 0
    while left:
        rows = chance.choice(left)
        append_id += 1 if chance.randrange(GAP) else 2
        yield replace(rows.pop(0), append_id=append_id)
        left = [rows for rows in left if rows]


def _named(text: str) -> UUID:
    return UUID(bytes=sha256(text.encode()).digest()[:16], version=5)


if __name__ == "__main__":
    main()
