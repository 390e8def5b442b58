"""Where the metrics of this tree of processes are told: at an address of their own, over OTLP, at both, or nowhere."""

from pathlib import Path

from adapters.metrics_server import MetricsServer
from adapters.settings import Settings
from adapters.telemetry.series import series_sender


class MetricsTold:
    """For the process that began the tree. Tells until `stop`. Raises OSError when the port is taken, NoTelemetry."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._sender = series_sender(folder)
        port = settings.metrics_port
        self._server = MetricsServer(folder, host=settings.metrics_host, port=port) if port else None

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop()
        if self._sender is not None:
            self._sender.stop()
