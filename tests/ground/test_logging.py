"""Logs: only listed fields, one line each, never a secret."""

import ast
import io
import json
import logging as standard
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from adapters import logging

ROOT = Path(__file__).parents[2]
PACKAGES = ("adapters", "api", "cli", "commands", "migrations", "projections", "workers")
LEVELS = {"debug", "info", "warning", "error", "critical", "exception"}


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    logging.configure(level="info", style="json", stream=stream)
    yield stream
    structlog.reset_defaults()
    standard.basicConfig(force=True, level=standard.WARNING)


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_loggers_in_use_go_by_a_level_that_was_set_later(written: io.StringIO) -> None:
    line = structlog.get_logger().bind()
    line.debug("hidden")
    for level in ("debug", "error", "info"):
        logging.configure(level=level, style="json", stream=written)
        line.debug("fine", reason=level)
        line.warning("grave", reason=level)
    assert [(each["event"], each["reason"]) for each in lines(written)] == [("fine", "debug"), ("grave", "debug"), ("grave", "info")]


def test_a_field_not_on_the_list_is_dropped_and_counted(written: io.StringIO) -> None:
    before = logging.dropped_fields
    structlog.get_logger().info("signed_in", user_id="u1", password="hunter2", email="a@example.org")
    (line,) = lines(written)
    assert line["user_id"] == "u1"
    assert line["dropped"] == 2
    assert logging.dropped_fields == before + 2
    assert "hunter2" not in written.getvalue()


@given(st.text())
def test_no_value_can_pretend_to_be_another_line(text: str) -> None:
    kept = logging.allow_listed(None, "info", {"event": "x", "reason": text})["reason"]
    assert len(str(kept).splitlines()) <= 1
    assert len(str(kept)) <= 303


def test_an_exception_of_a_library_shows_its_kind_and_place_but_not_its_words(written: io.StringIO) -> None:
    try:
        int("hunter2")
    except ValueError:
        structlog.get_logger().exception("failed")
    (line,) = lines(written)
    assert line["error_type"] == "ValueError"
    assert "test_logging.py" in str(line["error_at"])
    assert "hunter2" not in written.getvalue()


def test_what_libraries_log_takes_the_same_way(written: io.StringIO) -> None:
    standard.getLogger("some.library").warning("first\nsecond %s", "value")
    standard.getLogger("some.library").info("not grave enough")
    (line,) = lines(written)
    assert (line["logger"], line["message"]) == ("some.library", "first")


def test_ids_of_the_request_are_on_every_line_of_it(written: io.StringIO) -> None:
    with structlog.contextvars.bound_contextvars(trace_id="t1", request_id="r1"):
        structlog.get_logger().info("one")
    structlog.get_logger().info("two")
    assert [line.get("trace_id") for line in lines(written)] == ["t1", None]


def log_calls() -> Iterator[tuple[str, set[str]]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LEVELS:
                    owner = ast.unparse(node.func.value)
                    if owner.endswith(("log", "_log", "logger", "get_logger()")):
                        yield f"{path.relative_to(ROOT)}:{node.lineno}", {word.arg for word in node.keywords if word.arg}


def test_every_log_call_of_the_project_names_only_listed_fields() -> None:
    unlisted = {place: fields - logging.FIELDS - {"exc_info"} for place, fields in log_calls()}
    assert {place: fields for place, fields in unlisted.items() if fields} == {}
