"""Run by the Python of an installed Minos, far from any clone: starts everything in the folder given, and signs somebody up and in."""

import asyncio
import json
import sys
from pathlib import Path
from urllib.request import Request, urlopen

from bench.running import Running

ADA = {"email": "ada@example.org", "password": "correct horse battery"}


def post(url: str, body: dict[str, str]) -> dict[str, str]:
    request = Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urlopen(request, timeout=20) as answer:
        given: dict[str, str] = json.load(answer)
        return given


async def main(folder: Path) -> None:
    async with Running(folder) as running:
        for call in ("register", "login"):
            answer = await asyncio.to_thread(post, f"{running.url}/api/v1/auth/{call}", ADA)
            sys.stdout.write(f"{call}: {', '.join(answer)} {answer.get('status', '')}\n")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
