"""Run by the Python of an installed Minos, far from any clone: starts everything in a folder, and has `deploy/` tell how that does.

python installed.py FOLDER FOLDER-OF-DEPLOY
"""

import asyncio
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

from bench.running import Running


async def main(folder: Path, deploy: Path) -> int:
    async with Running(folder) as running:
        ports = {"MINOS_PORT": str(urlsplit(running.url).port), "MINOS_METRICS_PORT": str(urlsplit(running.metrics_url).port)}
        for script, *arguments in (["smoke.py", running.url], ["healthy.py"], ["healthy.py", "work"]):
            done = await asyncio.to_thread(subprocess.run, [sys.executable, deploy / script, *arguments], env=ports, check=False)
            if done.returncode:
                return done.returncode
    healthy = await asyncio.to_thread(subprocess.run, [sys.executable, deploy / "healthy.py"], env=ports, check=False)
    return 0 if healthy.returncode == 1 else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]))))
