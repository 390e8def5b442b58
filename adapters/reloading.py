"""To be told to read the settings again, by SIGHUP. What cannot be used changes nothing, and is said."""

import signal
from collections.abc import Callable
from types import FrameType

import structlog

from adapters.settings_source import BadSettings, load

log = structlog.stdlib.get_logger()


def settings_are_fit() -> bool:
    """Look at what a new start would read: files named by settings among it. The environment is that of our own start."""
    try:
        load()
    except BadSettings as bad:
        log.error("settings_not_reloaded", count=len(bad.problems), reason=bad.problems[0])  # noqa: TRY400 - what it says is all there is
        return False
    log.warning("settings_reloaded")  # whatever is logged, what an operator did is
    return True


def guard_signal() -> None:
    """Let whoever handles SIGHUP now hear it only when the settings can be used. For the main thread."""
    before = signal.getsignal(signal.SIGHUP)

    def told(given: int, frame: FrameType | None) -> None:
        if callable(before) and settings_are_fit():
            before(given, frame)

    signal.signal(signal.SIGHUP, told)


def on_signal(act: Callable[[], None]) -> Callable[[], None]:
    """Give what a loop does at SIGHUP."""

    def told() -> None:
        if settings_are_fit():
            act()

    return told
