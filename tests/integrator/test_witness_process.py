"""A log of ours and a witness of ours, each a process: what the one signs twice, the other signs once."""

from pathlib import Path

import httpx

from adapters.log_policy import is_cosigned
from adapters.witness.folder import Home
from domain.tree.policy_file import read_policy
from domain.tree.submission import LONGEST_SUBMISSION
from tests.integrator.conftest import Ground, settle
from tests.witness.logs import TestLog
from tests.witness.process import free_port, kill, witness_process
from workers.integrator.collector import Collector


async def test_a_witness_that_was_killed_goes_on_and_refuses_a_fork_of_the_log(ground: Ground, tmp_path: Path) -> None:
    log, port, home = ground.signer.name.verifier(1), free_port(), Home(folder=tmp_path / "witness")
    key = home.make("witness.example.org").public
    (home.folder / "logs").write_text(f"log {log.line()}\nquorum none\n")
    policy = read_policy(f"witness w {key.line()} http://127.0.0.1:{port}\nquorum w\n".encode())
    collector, worker = Collector(ground.database.app_url, policy), ground.integrator()

    async def cosigned(events: int) -> int:
        await ground.grow(events)
        await settle(worker)
        await collector.step()
        newest = await ground.tree.newest_cosigned(1)
        return newest.size if newest is not None and is_cosigned(policy, newest.note, log) else 0

    with witness_process(home.folder, port) as process:
        assert await cosigned(5) == 5
        kill(process)
    with witness_process(home.folder, port):
        assert await cosigned(3) == 8
        other = TestLog(log.name, of="other")
        other._private, other.key = ground.signer._key, log
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
            bodies = [other.submission(8, 8), other.submission(8, 11), b"x" * (LONGEST_SUBMISSION + 1)]
            answers = [await http.post("/add-checkpoint", content=body) for body in bodies]
        assert [answer.status_code for answer in answers] == [409, 422, 413]
        assert await cosigned(1) == 9
    await collector.close()
