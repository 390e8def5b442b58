"""A server that is told twice to stop, as by Ctrl-C and by who started it, stops."""

import subprocess
import sys

import pytest

TOLD_TWICE = """
import signal, threading
from adapters.farewell import Farewell

held, told = threading.Lock(), []

def stop(number, frame):
    with held:
        told.append(number)
        signal.raise_signal(signal.SIGINT)

for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, stop)
Farewell().on_signals()
signal.raise_signal(signal.SIGTERM)
assert told == [signal.SIGTERM], told
"""


def test_a_signal_that_comes_while_another_is_handled_does_not_wait_for_that_one() -> None:
    done = subprocess.run([sys.executable, "-c", TOLD_TWICE], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0, done.stderr


DRAINING = """
import os, signal, threading
from adapters.farewell import Farewell

told = threading.Event()
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda number, frame: told.set())
farewell = Farewell()
farewell.on_signals(drain_s={drain_s})
signal.raise_signal(signal.{first})
assert os.read(farewell._read, 1) == b"", "the workers were not told"
{then}
assert told.wait(20)
"""


@pytest.mark.parametrize(
    ("first", "drain_s", "then"),
    [
        ("SIGTERM", 0.05, ""),
        ("SIGTERM", 600, "assert not told.is_set(); signal.raise_signal(signal.SIGTERM)"),
        ("SIGTERM", 0, "assert told.is_set()"),
        ("SIGINT", 600, "assert told.is_set()"),
    ],
    ids=["its time is over", "told again", "no time is given", "Ctrl-C"],
)
def test_the_server_goes_on_for_a_while_after_its_workers_were_told(first: str, drain_s: float, then: str) -> None:
    program = DRAINING.format(first=first, drain_s=drain_s, then=then)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=40, check=False)
    assert done.returncode == 0, done.stderr
