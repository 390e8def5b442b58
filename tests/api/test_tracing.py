import sys

import pytest

from api.tracing import NoTracing, spans


def test_without_an_endpoint_nothing_of_it_is_loaded() -> None:
    assert spans({}) is None
    assert "opentelemetry.sdk" not in sys.modules


def test_an_endpoint_without_the_extra_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(NoTracing, match="minos"):
        spans({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"})
