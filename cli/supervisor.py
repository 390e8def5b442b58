"""Keeps the parts of one `minos up` alive: starts them, restarts the one that dies with growing pauses, stops them in order."""

import asyncio
import signal
import time
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Protocol, TypeAlias

from msgspec import Struct

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 10.0
STEADY_S = 20.0
"""A part that lived so long has earned the short pause again."""


class Part(Protocol):
    """One program. `start` returns when it is ready; `exited` when it ends for whatever reason; both may be repeated."""

    @property
    def pid(self) -> int | None: ...
    async def start(self) -> None: ...
    async def exited(self) -> int: ...
    async def stop(self) -> None: ...


class State(StrEnum):
    STARTING = "starting"
    RUNNING = "running"
    ENDED = "ended"
    STOPPED = "stopped"


class Report(Struct, frozen=True, kw_only=True):
    """What just happened to a part. `seconds` is how long it took to start, or how long it had lived."""

    part: str
    state: State
    seconds: float = 0.0
    pid: int | None = None
    detail: str = ""


Tell: TypeAlias = Callable[[Report], None]


class Supervisor:
    """`start` brings parts up, `stop` takes all down, the last started first. Deaths in between are repaired and told."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._parts: list[tuple[str, Part]] = []
        self._keepers: dict[str, asyncio.Task[None]] = {}

    async def start(self, name: str, part: Part) -> None:
        """Start a part for the first time. What it raises is the caller's: a first start is not tried again."""
        self._parts.append((name, part))
        await self._start(name, part)
        self._keepers[name] = asyncio.create_task(self._keep(name, part), name=f"keep {name}")

    async def stop(self, order: Sequence[Sequence[str]]) -> None:
        """Stop for good, group after group; parts of a group at the same time. Parts of no group go last."""
        for keeper in self._keepers.values():
            keeper.cancel()
        await asyncio.gather(*self._keepers.values(), return_exceptions=True)
        named = {name for group in order for name in group}
        for group in [*order, [name for name, _ in self._parts if name not in named]]:
            await asyncio.gather(*(self._stop(name, part) for name, part in self._parts if name in group))

    async def _start(self, name: str, part: Part) -> None:
        self._tell(Report(part=name, state=State.STARTING))
        began = time.monotonic()
        await part.start()
        self._tell(Report(part=name, state=State.RUNNING, seconds=time.monotonic() - began, pid=part.pid))

    async def _stop(self, name: str, part: Part) -> None:
        began = time.monotonic()
        await part.stop()
        self._tell(Report(part=name, state=State.STOPPED, seconds=time.monotonic() - began))

    async def _keep(self, name: str, part: Part) -> None:
        pause = FIRST_PAUSE_S
        while True:
            began = time.monotonic()
            code = await part.exited()
            lived = time.monotonic() - began
            pause = FIRST_PAUSE_S if lived > STEADY_S else min(pause * 2, LONGEST_PAUSE_S)
            self._tell(Report(part=name, state=State.ENDED, seconds=lived, detail=how_it_ended(code)))
            pause = await self._restart(name, part, pause)

    async def _restart(self, name: str, part: Part, pause: float) -> float:
        """Try until it starts. Gives the pause reached."""
        while True:
            await asyncio.sleep(pause)
            try:
                await part.stop()  # frees what the dead one held
                await self._start(name, part)
            except Exception as error:  # noqa: BLE001 - whatever stops it from starting now may be gone in a moment; the operator is told
                pause = min(pause * 2, LONGEST_PAUSE_S)
                self._tell(Report(part=name, state=State.ENDED, detail=f"did not start, next try in {pause:.1f} s: {error}"))
            else:
                return pause


def how_it_ended(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    return f"killed by {signal.Signals(-code).name}" if -code in set(signal.Signals) else f"killed by signal {-code}"


def stop_request() -> asyncio.Event:
    """Give an event that the first SIGINT, SIGTERM or SIGHUP sets (the last unless it is ignored, as under nohup).

    A second one ends us at once; the kernel then ends our children.
    """
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    heard = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        heard.append(signal.SIGHUP)

    def on_signal() -> None:
        for each in heard:
            loop.remove_signal_handler(each)
        told.set()

    for each in heard:
        loop.add_signal_handler(each, on_signal)
    return told
