"""Prometheus and its promtool as Debian builds them, and one that runs for as long as a block lasts."""

import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import yaml

from bench import debian
from bench.running import free_ports


def promtool() -> Path | str:
    """Give the program, or why there is none."""
    return debian.found("prometheus", "usr/bin/promtool")


def prometheus() -> Path | str:
    """Give the program, or why there is none."""
    return debian.found("prometheus", "usr/bin/prometheus")


@asynccontextmanager
async def running(program: Path, folder: Path, *, target: str, rules: Path) -> AsyncGenerator[httpx.AsyncClient]:
    """Run it over one target, asked each second, with the rules of a folder; gives a client of its API. Raises OSError."""
    (port,) = free_ports(1)
    scrape = {"job_name": "minos", "static_configs": [{"targets": [target]}]}
    every = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config = {"global": every, "rule_files": [str(rules / name) for name in ("recording.yaml", "alerts.yaml")], "scrape_configs": [scrape]}
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(config))
    own = (
        f"--config.file={folder / 'prometheus.yaml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
    )
    with (folder / "prometheus.log").open("wb") as log:
        child = subprocess.Popen([program, *own], stdout=log, stderr=log, cwd=folder)
        try:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=10) as client:
                yield client
        finally:
            child.kill()  # what it scraped is of no use to anybody
            child.wait()
