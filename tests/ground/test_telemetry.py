"""What is sent over OTLP is chosen by the standard variables alone; `tests/e2e/test_otlp.py` has what arrives."""

import io
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from adapters import logging
from adapters.telemetry import lines as sending
from adapters.telemetry.chosen import NoTelemetry, Signal, resource, wanted

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, set()),
        (ENDPOINT, set(Signal)),
        ({"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "http://127.0.0.1:4318/v1/logs"}, {Signal.LOGS}),
        ({"OTEL_METRICS_EXPORTER": "otlp"}, {Signal.METRICS}),
        (ENDPOINT | {"OTEL_LOGS_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none"}, {Signal.TRACES}),
        (ENDPOINT | {"OTEL_SDK_DISABLED": "true"}, set()),
        (ENDPOINT | {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf"}, NoTelemetry),
        (ENDPOINT | {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, set(Signal)),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, set()),
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, NoTelemetry),
        ({"OTEL_TRACES_EXPORTER": "console"}, NoTelemetry),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "127.0.0.1:4318"}, NoTelemetry),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "ftp://collector:4318"}, NoTelemetry),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://"}, NoTelemetry),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:99999"}, NoTelemetry),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "nonsense", "OTEL_SDK_DISABLED": "true"}, set()),
    ],
    ids=[
        "nothing", "an endpoint", "one endpoint", "an exporter", "none of two", "all off", "grpc for most", "the one protocol",
        "grpc, and nowhere to", "another exporter", "console",
        "no scheme", "another scheme", "no host", "no port", "no address, and off",
    ],
)  # fmt: skip
def test_the_standard_variables_choose(environ: dict[str, str], expected: set[Signal] | type[Exception]) -> None:
    if isinstance(expected, set):
        assert {signal for signal in Signal if wanted(signal, environ)} == expected
    else:
        with pytest.raises(expected, match="OTEL_"):
            [wanted(signal, environ) for signal in Signal]


def test_who_sends_is_minos_unless_the_environment_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    assert resource().attributes["service.name"] == "minos"
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.name=authority,deployment.environment.name=production")
    assert resource().attributes["service.name"] == "authority"
    assert resource().attributes["deployment.environment.name"] == "production"
    monkeypatch.setenv("OTEL_SERVICE_NAME", "minos-eu")
    assert resource().attributes["service.name"] == "minos-eu"


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", **ENDPOINT}, "OTEL_EXPORTER_OTLP_PROTOCOL is not http/protobuf"),
        ({"OTEL_METRICS_EXPORTER": "otlp", "OTEL_METRIC_EXPORT_INTERVAL": "often"}, "OTEL_METRIC_EXPORT_INTERVAL is not a number"),
    ],
    ids=["protocol", "interval"],
)
def test_what_cannot_be_had_is_said_in_words(environ: dict[str, str], words: str, tmp_path: Path) -> None:
    told = (
        "import sys; from pathlib import Path; from cli.explained import explained\n"
        "try:\n"
        "    from adapters import logging; logging.configure(level='info', style='json')\n"
        "    from adapters.telemetry.series import series_sender; series_sender(Path('.'))\n"
        "except Exception as error: print(explained(error))\n"
    )
    environ |= {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    ran = subprocess.run([sys.executable, "-c", told], env=environ, capture_output=True, text=True, timeout=60, check=True)
    assert words in ran.stdout


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Logging that is to be sent to a port where nobody is."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", f"http://127.0.0.1:{nobody.getsockname()[1]}")
        monkeypatch.setenv("OTEL_BLRP_SCHEDULE_DELAY", "3600000")
        stream = io.StringIO()
        logging.configure(level="info", style="json", stream=stream)
        yield stream
        monkeypatch.undo()
        structlog.reset_defaults()
        logging.configure(level="info", style="json", stream=io.StringIO())
        structlog.reset_defaults()


def test_only_listed_fields_are_sent(told: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    handed: list[dict[str, object]] = []
    monkeypatch.setattr(sending.Lines, "_emit", lambda _, event: handed.append(dict(event)))
    structlog.get_logger().warning("seen", user_id="u1", password="hunter2", reason="a\nb")
    (event,) = handed
    assert "hunter2" not in repr(event)
    assert (event["user_id"], event["reason"], event["dropped"]) == ("u1", "a b", 1)
    assert '"user_id":"u1"' in told.getvalue()


def test_what_the_sender_says_of_itself_is_written_and_not_sent(told: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    handed: list[object] = []
    monkeypatch.setattr(sending.Lines, "_emit", lambda _, event: handed.append(event))
    structlog.get_logger().warning("library_message", logger="opentelemetry.exporter.otlp", message="the collector is away")
    assert handed == []
    assert "the collector is away" in told.getvalue()
