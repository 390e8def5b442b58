"""A server that is told twice to stop, as by Ctrl-C and by who started it, stops."""

import subprocess
import sys

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
