"""What it costs to refuse bad passwords, and how fast accounts of another system come in."""

import json
import secrets
import string
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from statistics import median

from adapters.hashing.hasher import Argon2Hasher
from adapters.password_judge import OfflineJudge
from bench.running import Running
from bench.scale import Measuring

PHRASE = "correct horse battery staple"
DEAR = "4@8({[<369&#!/|0$5+7%2" * 2
"""Looks like many things at once to whoever estimates it."""
EARLIER = 5
ASKED = 20_000
"""Passwords in each round; of a hundred thousand random ones six or so are taken for listed."""
_LETTERS = string.ascii_letters + string.digits + "-_ !?."


async def measure(folder: Path, measuring: Measuring) -> None:
    hasher = Argon2Hasher(threads=1)
    await hasher.start()
    judge = OfflineJudge(hasher)
    for _ in range(measuring.scale.rounds):
        measuring.told("passwords")
        _look_ups(judge, measuring)
        await _estimates(judge, hasher, measuring)
    hasher.close()
    await _imports(folder, measuring)


def _look_ups(judge: OfflineJudge, measuring: Measuring) -> None:
    """Of random passwords of 12 to 24 characters, each in all its spellings, which are more than an ordinary phrase has."""
    asked = ["".join(secrets.choice(_LETTERS) for _ in range(12 + n % 13)) for n in range(ASKED)]
    began = time.perf_counter()
    wrongly = sum(map(judge.is_listed, asked))
    took = time.perf_counter() - began
    measuring.rounds.add(breach_filter_mb=judge.size / 1e6, breach_filter_us=1e6 * took / ASKED, breach_filter_false=1e6 * wrongly / ASKED)


async def _estimates(judge: OfflineJudge, hasher: Argon2Hasher, measuring: Measuring) -> None:
    seconds = measuring.scale.seconds
    encoded = await hasher.hash(PHRASE)

    async def checked() -> None:
        judge.is_listed(PHRASE)
        await judge.strength(PHRASE, context=["ada@example.org", "ada", "minos"])

    async def remembered() -> None:
        for _ in range(EARLIER):
            await hasher.verify(encoded, "another phrase entirely")

    measuring.rounds.add(
        password_checks_ms=await _typical(checked, seconds),
        password_estimate_ms=await _typical(lambda: judge.strength(DEAR), seconds),
        password_history_ms=await _typical(remembered, seconds),
    )


async def _typical(act: Callable[[], Awaitable[object]], seconds: float) -> float:
    """The median, in milliseconds, of as many as go into so many seconds, one after another."""
    took: list[float] = []
    until = time.perf_counter() + seconds
    while not took or time.perf_counter() < until:
        began = time.perf_counter()
        await act()
        took.append(1_000 * (time.perf_counter() - began))
    return median(took)


async def _imports(folder: Path, measuring: Measuring) -> None:
    """From calling the command to its end, the interpreter's start included."""
    async with Running(folder, log_level="warning") as running:
        for number in range(measuring.scale.rounds):
            measuring.told("import")
            file = folder / f"users-{number}.ndjson"
            file.write_text("\n".join(_lines(number, measuring.scale.imported)), encoding="utf-8")
            began = time.perf_counter()
            done = await running.minos("users", "import", str(file), "--json", within=300)
            took = time.perf_counter() - began
            if done.code != 0:
                raise RuntimeError(f"the import did not go through: {done.err or done.out}")
            measuring.rounds.add(users_imported=measuring.scale.imported / took)


def _lines(number: int, people: int) -> Sequence[str]:
    encoded = "$2b$12$" + "a" * 53
    return [json.dumps({"email": f"person-{number}-{n}@example.org", "password_hash": encoded}) for n in range(people)]
