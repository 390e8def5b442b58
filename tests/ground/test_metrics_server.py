"""The address of the metrics is served by the process that restarts all others: callers take little of it, and not for long."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.request import urlopen

import pytest

from adapters import metrics_server
from adapters.metrics_server import CONNECTIONS, PATIENCE_S, MetricsServer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MetricsServer]:
    server = MetricsServer(tmp_path, host="127.0.0.1", port=0)
    yield server
    server.stop()


def connect(server: MetricsServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S + 10)


def answers(server: MetricsServer) -> bool:
    with urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=10) as answer:
        return answer.status == 200


def test_callers_who_say_nothing_are_few_and_are_let_go(server: MetricsServer, capfd: pytest.CaptureFixture[str]) -> None:
    with ExitStack() as stack:
        began = time.monotonic()
        idle = [stack.enter_context(connect(server)) for _ in range(CONNECTIONS)]
        idle[0].sendall(b"GET /metrics")  # begun, and never ended
        one_more = stack.enter_context(connect(server))
        assert one_more.recv(1) == b""
        assert time.monotonic() - began < PATIENCE_S
        assert [one.recv(1) for one in idle] == [b""] * CONNECTIONS
        assert answers(server)
    assert capfd.readouterr() == ("", "")


def test_who_is_answered_makes_room(server: MetricsServer) -> None:
    assert all(answers(server) for _ in range(2 * CONNECTIONS))


def drips(connection: socket.socket) -> bool:
    """Send a byte more, and tell whether the server still listens."""
    connection.settimeout(0.01)
    try:
        connection.sendall(b"G")
        return connection.recv(1) != b""
    except TimeoutError:
        return True
    except OSError:
        return False


def test_a_byte_now_and_then_keeps_no_place(server: MetricsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_server, "WHOLE_S", 1.0)
    with ExitStack() as stack:
        dripping = [stack.enter_context(connect(server)) for _ in range(CONNECTIONS)]
        until = time.monotonic() + 10
        while dripping and time.monotonic() < until:
            dripping = [one for one in dripping if drips(one)]
        assert not dripping
        assert answers(server)
