"""To be told to read the settings again, by SIGHUP. What cannot be used changes nothing, and is said."""

import signal
from collections.abc import Callable
from types import FrameType

import structlog

from adapters.settings import Settings
from adapters.settings_source import BadSettings, load

log = structlog.stdlib.get_logger()


class InForce:
    """The settings that processes go by, also those that come later: a file that somebody is just writing is nobody's settings."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def read_again(self) -> bool:
        """Take those that a new start would have, files named by settings among it, if they can be used. The environment is that of our
        own start."""
        try:
            self.settings = load().settings
        except BadSettings as bad:
            log.error("settings_not_reloaded", count=len(bad.problems), reason=bad.problems[0])  # noqa: TRY400 - what it says is all there is
            return False
        log.warning("settings_reloaded")  # whatever is logged, what an operator did is
        return True

    def guard_signal(self) -> None:
        """Let whoever handles SIGHUP now hear it only when the settings can be used. For the main thread."""
        before = signal.getsignal(signal.SIGHUP)

        def told(given: int, frame: FrameType | None) -> None:
            if callable(before) and self.read_again():
                before(given, frame)

        signal.signal(signal.SIGHUP, told)

    def on_signal(self, act: Callable[[], None]) -> Callable[[], None]:
        """Give what a loop does at SIGHUP."""

        def told() -> None:
            if self.read_again():
                act()

        return told
