"""One address with the metrics of a whole process tree: each process writes files into one folder, the parent adds them up."""

import os
import re
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import cast
from wsgiref.simple_server import WSGIServer

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_LIVE_GAUGE = re.compile(r"gauge_live\w*_(\d+)\.db")


def prepare_folder(folder: Path) -> None:
    """Empty the folder and tell this process and its children to write there. Call it before prometheus_client is imported."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    os.environ[FOLDER_VARIABLE] = str(folder)


class MetricsServer:
    """Serves the sum of the folder's files as text, in a thread of its own, until `stop`. Raises OSError when the port is taken."""

    def __init__(self, folder: Path, *, host: str, port: int) -> None:
        # Imported here: it reads the folder's variable once, at import.
        from prometheus_client import CollectorRegistry, start_http_server
        from prometheus_client.core import Metric
        from prometheus_client.multiprocess import MultiProcessCollector
        from prometheus_client.registry import Collector

        class Living(Collector):
            """Forgets gauges of processes that are gone: they describe nothing any more. Counters stay: what happened, happened."""

            def __init__(self) -> None:
                self._all = MultiProcessCollector(None, path=str(folder))  # type: ignore[no-untyped-call]

            def collect(self) -> Iterable[Metric]:
                _forget_dead(folder)
                return cast("Iterable[Metric]", self._all.collect())  # type: ignore[no-untyped-call]  # its source has no types

        registry = CollectorRegistry()
        registry.register(Living())
        self._server: WSGIServer
        self._thread: Thread
        self._server, self._thread = start_http_server(port, addr=host, registry=registry)

    @property
    def port(self) -> int:
        return self._server.server_port

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)


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
