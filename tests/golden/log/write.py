"""Keep the digests of read models whose fold is new: `python -m tests.golden.log.write`. One that is kept is never written again."""

import asyncio
import random
import sys
import tempfile
from pathlib import Path

import msgspec

from adapters.embedded_postgres import PostgresServer
from tests.conftest import database_of, migrate
from tests.golden.log.made import made_live
from tests.golden.log.stored import FOLDER, digests, stored_logs


async def main() -> int:
    """Give exit code 1, and write nothing, where a fold makes other rows than it did: its `fold_version` has to rise then."""
    known, made = digests(), dict[str, dict[str, str]]()
    for name, rows in stored_logs().items():
        with tempfile.TemporaryDirectory(prefix="minos-stored-log-") as folder:
            server = PostgresServer(Path(folder) / "postgres", durable=False)
            await server.start()
            try:
                await migrate(database_of(server))
                made[name] = await made_live(database_of(server), rows, random.Random(name))
            finally:
                await server.stop()
    changed = [f"{name} {key}" for name, of in made.items() for key in of if of[key] != known.get(name, of).get(key, of[key])]
    if changed:
        sys.stderr.write(f"these make other rows than they did: raise their fold_version: {', '.join(changed)}\n")
        return 1
    FOLDER.joinpath("digests.json").write_bytes(msgspec.json.format(msgspec.json.encode(made, order="sorted"), indent=1) + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
