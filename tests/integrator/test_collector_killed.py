"""A collector killed while a witness is being asked: whatever that one remembers by then, the next collector goes on from there."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

import pytest

from adapters.log_policy import is_cosigned
from adapters.witness.witness import Answer
from domain.tree.policy_file import read_policy
from tests.integrator.conftest import Ground, settle
from tests.witness.served import Mischief, ServedWitness, serving
from workers.integrator.collector import Collector

COLLECTING = """
import asyncio, sys
from pathlib import Path
from domain.tree.policy_file import read_policy
from workers.integrator.collector import Collector
asyncio.run(Collector(sys.argv[1], read_policy(Path(sys.argv[2]).read_bytes())).run(asyncio.Event()))
"""


@pytest.mark.parametrize("remembered", [False, True], ids=["before it remembers", "before its answer"])
async def test_a_collector_killed_while_a_witness_is_asked_leaves_nothing_behind(ground: Ground, tmp_path: Path, remembered: bool) -> None:
    log, worker = ground.signer.name.verifier(1), ground.integrator()
    with serving(ServedWitness("w", tmp_path, log)) as witness:
        file = tmp_path / "policy"
        file.write_text(f"{witness.line}quorum w\n")
        policy = read_policy(file.read_bytes())
        for size in (5, 9):  # one that it has never seen, and one that continues what it has
            await ground.grow(size - witness.size)
            await settle(worker)
            child = subprocess.Popen([sys.executable, "-c", COLLECTING, ground.database.app_url, str(file)])
            witness.mischief = killing(child.pid, witness, remembered=remembered)
            assert child.wait(timeout=60) == -signal.SIGKILL
            witness.mischief = None
            collector = Collector(ground.database.app_url, policy)
            await collector.step()
            await collector.close()
            newest = await ground.tree.newest_cosigned(1)
            assert newest is not None
            assert (newest.size, witness.size, is_cosigned(policy, newest.note, log)) == (size, size, True)
    await worker.close()


def killing(pid: int, witness: ServedWitness, *, remembered: bool) -> Mischief:
    def mischief(raw: bytes, honest: Callable[[bytes], Answer]) -> Answer:
        before = witness.size
        answer = honest(raw) if remembered else None
        if not remembered or witness.size > before:
            os.kill(pid, signal.SIGKILL)
        return answer or Answer(status=HTTPStatus.BAD_GATEWAY, body="")

    return mischief
