"""rotel, an OpenTelemetry collector that comes as a wheel: there wherever the tests' own dependencies are, on machines it is built for."""

import os
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from bench.running import free_ports

_READY_S = 20.0


def found() -> Path | str:
    """Give the program, or why there is none."""
    package = find_spec("rotel")
    if package is None or package.origin is None:
        return "there is no wheel of rotel for this machine"
    return Path(package.origin).parent / "rotel-agent"


@contextmanager
def running(program: Path, folder: Path, *, exporting_to: str) -> Generator[str]:
    """Run it for as long as the block lasts, and give its address for OTLP over HTTP. It hands on, in batches of its own, what comes."""
    http, grpc = (f"127.0.0.1:{port}" for port in free_ports(2))
    told = {
        "ROTEL_OTLP_HTTP_ENDPOINT": http,
        "ROTEL_OTLP_GRPC_ENDPOINT": grpc,
        "ROTEL_EXPORTER": "otlp",
        "ROTEL_OTLP_EXPORTER_PROTOCOL": "http",
        "ROTEL_OTLP_EXPORTER_ENDPOINT": exporting_to,
        "ROTEL_BATCH_TIMEOUT": "20ms",
        "ROTEL_PID_FILE": str(folder / "rotel.pid"),
    }
    with (folder / "rotel.log").open("wb") as log:
        child = subprocess.Popen([program, "start"], env={"PATH": os.environ.get("PATH", "")} | told, stdout=log, stderr=log)
        try:
            _await(f"http://{http}/v1/traces", child)
            yield f"http://{http}"
        finally:
            child.kill()  # it has nothing to lose, and takes seconds to part
            child.wait()


def _await(url: str, child: "subprocess.Popen[bytes]") -> None:
    """Raises ChildProcessError, TimeoutError."""
    until = time.monotonic() + _READY_S
    while time.monotonic() < until:
        if child.poll() is not None:
            raise ChildProcessError("rotel ended")
        try:
            urlopen(Request(url, data=b"", headers={"Content-Type": "application/x-protobuf"}), timeout=1).close()
        except HTTPError:
            return  # it speaks
        except (URLError, OSError):
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("rotel does not answer")
