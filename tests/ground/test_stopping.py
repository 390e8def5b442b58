"""What was told to stop is gone soon after, also where nobody is left who would kill it."""

import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager

import pytest

HANGING = """
import asyncio, time
import uvloop
from adapters.stopping import stop_within

async def main() -> None:
    stop = stop_within({within_s})
    print("ready", flush=True)
    await stop.wait()
    print("told", flush=True)
    {hang}

with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
    runner.run(main())
"""
FOR_EVER = {
    "a connection that never closes": "await asyncio.Event().wait()",
    "a step that hears of no cancelling": "await asyncio.shield(asyncio.sleep(3_600))",
    "a loop that is held up": "time.sleep(3_600)",
    "a thread that is waited for": "asyncio.get_running_loop().run_in_executor(None, time.sleep, 3_600)",
}


@contextmanager
def hanging(hang: str, *, within_s: int) -> Generator["subprocess.Popen[bytes]"]:
    """A program that was told to stop, and does not."""
    with subprocess.Popen([sys.executable, "-c", HANGING.format(hang=hang, within_s=within_s)], stdout=subprocess.PIPE) as program:
        try:
            assert program.stdout is not None
            assert program.stdout.readline() == b"ready\n"
            program.send_signal(signal.SIGTERM)
            assert program.stdout.readline() == b"told\n"
            yield program
        finally:
            program.kill()


@pytest.mark.parametrize("hang", FOR_EVER.values(), ids=FOR_EVER.keys())
def test_whatever_hangs_ends_when_its_time_is_over(hang: str) -> None:
    with hanging(hang, within_s=1) as program:
        assert program.wait(10) == -signal.SIGALRM


@pytest.mark.parametrize("hang", FOR_EVER.values(), ids=FOR_EVER.keys())
def test_a_second_signal_ends_it_at_once(hang: str) -> None:
    with hanging(hang, within_s=60) as program:
        program.send_signal(signal.SIGTERM)
        assert program.wait(10) == -signal.SIGTERM


def test_one_that_stops_in_time_ends_as_it_wants_to() -> None:
    with hanging("raise SystemExit(3)", within_s=60) as program:
        assert program.wait(10) == 3
