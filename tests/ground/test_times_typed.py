"""Times typed on a command line."""

import argparse
from datetime import UTC, datetime, timedelta

import pytest

from cli.audit_actions.replay import moment


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59Z"])
def test_a_moment_at_the_end_of_the_calendar_can_be_counted_from(text: str) -> None:
    assert moment(text) - timedelta(days=365) < moment(text) < moment(text) + timedelta(hours=23)


def test_a_moment_is_taken_with_its_offset_alone() -> None:
    assert moment("2026-11-26T10:00:00+01:00") == datetime(2026, 11, 26, 9, tzinfo=UTC)
    with pytest.raises(argparse.ArgumentTypeError):
        moment("2026-11-26T10:00:00")
