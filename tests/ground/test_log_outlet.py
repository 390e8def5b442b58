"""Lines are gathered for a moment inside an event loop, and never lost short of a kill."""

import asyncio
import io
import threading

from adapters.log_outlet import GATHER_CHARACTERS, GATHER_SECONDS, Outlet


class Counting(io.StringIO):
    """Counts the calls that would each be a system call."""

    flushes = 0

    def flush(self) -> None:
        self.flushes += 1


def say(outlet: Outlet, line: str) -> None:
    outlet.write(line + "\n")
    outlet.flush()


def test_outside_a_loop_each_line_leaves_at_once() -> None:
    stream = Counting()
    outlet = Outlet(stream)
    say(outlet, "one")
    assert stream.getvalue() == "one\n"
    say(outlet, "two")
    assert (stream.getvalue(), stream.flushes) == ("one\ntwo\n", 2)


async def test_inside_a_loop_lines_leave_together_and_in_order() -> None:
    stream = Counting()
    outlet = Outlet(stream)
    for number in range(100):
        say(outlet, str(number))
    assert stream.getvalue() == ""
    await asyncio.sleep(GATHER_SECONDS * 4)
    assert stream.getvalue().split() == [str(number) for number in range(100)]
    assert stream.flushes == 1


async def test_much_does_not_wait() -> None:
    stream = Counting()
    outlet = Outlet(stream)
    say(outlet, "x" * GATHER_CHARACTERS)
    assert len(stream.getvalue()) == GATHER_CHARACTERS + 1


def test_a_second_loop_is_served_though_the_first_ended_owing() -> None:
    stream = Counting()
    outlet = Outlet(stream)

    async def say_and_wait(line: str, seconds: float) -> None:
        say(outlet, line)
        await asyncio.sleep(seconds)

    asyncio.run(say_and_wait("first", 0))
    asyncio.run(say_and_wait("second", GATHER_SECONDS * 4))
    assert stream.getvalue() == "first\nsecond\n"


async def test_threads_lose_no_line() -> None:
    stream = Counting()
    outlet = Outlet(stream)

    def talk() -> None:
        for number in range(500):
            say(outlet, str(number))

    threads = [threading.Thread(target=talk) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(500):
        say(outlet, str(number))
        if number % 50 == 0:
            await asyncio.sleep(0)
    for thread in threads:
        thread.join()
    outlet.drain()
    assert len(stream.getvalue().split()) == 2_500
