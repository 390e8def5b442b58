"""The same log makes the same read models, to the byte: today, tomorrow, live in whatever pieces, and built anew."""

import random

import pytest

from domain.codec import EVENT_TYPES
from projections.catalogue import ALL
from tests.conftest import Database
from tests.golden.log.made import key_of, made_anew, made_live
from tests.golden.log.stored import digests, stored_logs


@pytest.mark.parametrize("name", stored_logs())
async def test_a_stored_log_makes_the_same_rows_as_on_its_first_day_live_and_rebuilt(database: Database, name: str) -> None:
    """Where only this fails, a fold makes other rows than it did: raise its `fold_version`, then `python -m tests.golden.log.write`."""
    kept = digests()[name]
    live = await made_live(database, stored_logs()[name], random.Random())
    assert live == {key_of(projection): kept.get(key_of(projection)) for projection in ALL}
    assert await made_anew(database) == live


def test_every_kind_of_event_is_in_a_stored_log() -> None:
    """`python -m tests.golden.log.make` stores another log with those that are missing."""
    assert {row.type for rows in stored_logs().values() for row in rows} == set(EVENT_TYPES)


def test_a_stored_log_is_read_to_the_bytes_that_were_stored() -> None:
    from tests.golden.log.stored import FOLDER, encoded

    for name, rows in stored_logs().items():
        assert b"".join(encoded(row) + b"\n" for row in rows) == (FOLDER / f"{name}.ndjson").read_bytes()
