"""Rebuilds read models, as a process of its own: reads the URL of a database and then a name a line, and writes what came of each as JSON.

As `minos projections rebuild`, without standing back for others, since nobody is served meanwhile."""

import asyncio
import sys

import msgspec
import structlog
import uvloop

from workers.rebuild import rebuild


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    url = sys.stdin.readline().strip()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        while name := sys.stdin.readline().strip():
            done = runner.run(rebuild(url, name, gently=False))
            sys.stdout.write(msgspec.json.encode(done).decode() + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
