"""To be told to stop, and to have stopped soon after, whatever hangs then."""

import asyncio
import signal


def stop_within(seconds: int) -> asyncio.Event:
    """Give an event that the first SIGTERM or SIGINT sets. So many seconds later the kernel ends us, should we still be there.

    The kernel, because what keeps us may be a connection that never closes, a thread that is waited for, or the loop itself. A second
    signal ends us at once. Without both, a program whose parent is gone would stay for ever: nobody is left to kill it.
    """
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGTERM, signal.SIGINT)

    def on_signal() -> None:
        for number in numbers:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)
        signal.alarm(seconds)  # nobody handles SIGALRM: its default is the end
        told.set()

    for number in numbers:
        loop.add_signal_handler(number, on_signal)
    return told
