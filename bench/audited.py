"""One long look at a log as a process of its own, whose memory is its own: prints events a second and megabytes at the most."""

import asyncio
import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from time import perf_counter

import uvloop

from bench.processes import resident_mb, tree
from workers.audit.export import export
from workers.audit.verify import Asked, verify


async def _verified(url: str, *, read_models: bool) -> int:
    report = await verify(Asked(url=url, read_models=read_models, processes=len(os.sched_getaffinity(0))))
    if report.findings:
        raise RuntimeError(f"the log that was filled is not whole: {report.findings[0].words}")
    return report.size


def looked_at(what: str, url: str, folder: Path) -> int:
    """Give how many events were gone through."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        match what:
            case "verify":
                return runner.run(_verified(url, read_models=True))
            case "verify_log":
                return runner.run(_verified(url, read_models=False))
            case "export":
                return runner.run(export(url, folder)).size
            case _:
                from minos_sdk.audit import verify_bundle

                return verify_bundle(folder).size


class _Memory(Thread):
    """Looks every now and then at what we and the processes below us have in RAM together."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._ended = Event()
        self.most_mb = 0.0

    def run(self) -> None:
        while not self._ended.wait(0.05):
            self._look()

    def end(self) -> float:
        """Give the most there was."""
        self._ended.set()
        self.join()
        self._look()
        return self.most_mb

    def _look(self) -> None:
        with suppress(OSError):  # one of them has just ended
            self.most_mb = max(self.most_mb, sum(resident_mb(pid) for pid in tree(os.getpid())))


def main(what: str, url: str, folder: str) -> None:
    memory = _Memory()
    memory.start()
    began = perf_counter()
    events = looked_at(what, url, Path(folder))
    seconds = perf_counter() - began
    print(json.dumps({"per_second": events / seconds, "megabytes": memory.end()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
