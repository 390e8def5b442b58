"""One long look at a log as a process of its own, whose memory is its own: prints events a second and megabytes at the most."""

import asyncio
import json
import sys
from pathlib import Path
from time import perf_counter

import uvloop

from workers.audit.export import export
from workers.audit.verify import Asked, verify


async def _verified(url: str, *, read_models: bool) -> int:
    report = await verify(Asked(url=url, read_models=read_models))
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


def main(what: str, url: str, folder: str) -> None:
    began = perf_counter()
    events = looked_at(what, url, Path(folder))
    seconds = perf_counter() - began
    print(json.dumps({"per_second": events / seconds, "megabytes": _most_resident()}))


def _most_resident() -> float:
    """Of this program alone: what `getrusage` says begins with the size of whoever started it (proc_pid_status(5), VmHWM)."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
