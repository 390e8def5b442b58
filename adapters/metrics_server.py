"""One address with the metrics of a whole process tree: each process writes files into one folder, the parent adds them up."""

import os
import re
import shutil
import socket
import struct
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from socketserver import ThreadingMixIn
from threading import Thread
from typing import TYPE_CHECKING, Any, cast
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import msgspec

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication

    from prometheus_client.registry import Collector

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
CONNECTIONS = 16
"""At once; more are closed. Each holds a thread and a descriptor of the process that has to restart the others."""
PATIENCE_S = 5.0
"""How long the server waits for a caller that says nothing, or takes nothing."""
WHOLE_S = 10.0
"""How long a connection may take in all."""
_LOOKS, _BETWEEN_LOOKS_S = 20, 0.001
_LIVE_GAUGE = re.compile(r"gauge_live\w*_(\d+)\.db")


def prepare_folder(folder: Path) -> None:
    """Empty the folder and tell this process and its children to write there. Call it before prometheus_client is imported.

    What was there is moved aside first: processes of before may not be over yet, and a folder they still write to is never empty.
    """
    with suppress(FileNotFoundError):
        folder.rename(folder.with_name(f"{folder.name}-{os.getpid()}.old"))
    for old in folder.parent.glob(f"{folder.name}-*.old"):
        shutil.rmtree(old, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.environ[FOLDER_VARIABLE] = str(folder)


class MetricsServer:
    """Serves the sum of the folder's files, in a thread of its own, until `stop`. Raises OSError when the port is taken.

    `/metrics` gives them as text; `/health/ready` says 200 while every worker of the process tree runs, else 503.
    """

    def __init__(self, folder: Path, *, host: str, port: int) -> None:
        # Imported here: it reads the folder's variable once, at import.
        from prometheus_client import (
            CollectorRegistry,
            make_wsgi_app,  # pyright: ignore[reportUnknownVariableType]  # its source has no types
        )

        registry = CollectorRegistry()
        registry.register(living(folder))
        metrics = cast("WSGIApplication", make_wsgi_app(registry))

        def app(environ: dict[str, Any], start_response: "StartResponse") -> Iterable[bytes]:
            if environ["PATH_INFO"] != "/health/ready":
                return metrics(environ, start_response)
            workers = workers_ready(folder)
            ready = bool(workers) and all(workers.values())
            body = msgspec.json.encode({"status": "ready" if ready else "unready", "workers": workers})
            status = "200 OK" if ready else "503 Service Unavailable"
            start_response(status, [("Content-Type", "application/json"), ("Cache-Control", "no-store")])
            return [body]

        self._server = make_server(host, port, app, _Server, handler_class=_Handler)
        self._thread = Thread(target=self._server.serve_forever, name="metrics", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return self._server.server_port

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)


class _Server(ThreadingMixIn, WSGIServer):
    """A thread for each connection, and so many connections at most."""

    daemon_threads = True
    request_queue_size = CONNECTIONS

    def __init__(self, *args: Any) -> None:
        self._open = dict[Any, float]()
        super().__init__(*args)

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ARG002 - what it is given there
        if len(self._open) >= CONNECTIONS:
            return False
        self._open[request] = time.monotonic()
        return True

    def service_actions(self) -> None:
        """Twice a second: hang up on who has had its time. A byte now and then is no request."""
        for request, since in list(self._open.items()):
            if time.monotonic() - since > WHOLE_S:
                with suppress(OSError):
                    request.shutdown(socket.SHUT_RDWR)

    def shutdown_request(self, request: Any) -> None:
        """Every connection comes by here once, whatever became of it."""
        self._open.pop(request, None)
        super().shutdown_request(request)


class _Handler(WSGIRequestHandler):
    timeout = PATIENCE_S

    def handle(self) -> None:
        with suppress(OSError):  # the caller said nothing or went away, which nobody needs to read about
            super().handle()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name it has there
        pass


def workers_ready(folder: Path) -> dict[str, bool]:
    """Tell of each worker of the process tree whether it runs; empty when none has said so yet."""
    gauges = [metric for metric in living(folder).collect() if metric.name == "minos_worker_ready"]
    return {sample.labels["worker"]: sample.value == 1 for gauge in gauges for sample in gauge.samples}


def living(folder: Path) -> "Collector":
    from prometheus_client.core import Metric
    from prometheus_client.multiprocess import MultiProcessCollector
    from prometheus_client.registry import Collector

    class Living(Collector):
        """Forgets gauges of processes that are gone: they describe nothing any more. Counters stay: what happened, happened."""

        def __init__(self) -> None:
            self._all = MultiProcessCollector(None, path=str(folder))  # type: ignore[no-untyped-call]

        def collect(self) -> Iterable[Metric]:
            _forget_dead(folder)
            for _ in range(_LOOKS):
                with suppress(struct.error):  # a process is just making its file, which has no length yet
                    return cast("Iterable[Metric]", self._all.collect())  # type: ignore[no-untyped-call]  # its source has no types
                time.sleep(_BETWEEN_LOOKS_S)
            return ()

    return Living()


def _forget_dead(folder: Path) -> None:
    for path in folder.glob("gauge_live*.db"):
        found = _LIVE_GAUGE.fullmatch(path.name)
        if found is not None and not _alive(int(found.group(1))):
            with suppress(FileNotFoundError):
                path.unlink()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
