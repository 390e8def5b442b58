"""`minos bench peers` measures: ours alone, since the others would have to be installed. How fast anything is, is not asked here."""

import json
from pathlib import Path

from bench.running import Running
from tests.seldom import seldom


@seldom
async def test_our_server_is_measured_beside_nobody(own_folder: Path) -> None:
    done = await Running(own_folder).minos(
        "bench", "peers", "--quick", "--only", "minos,session", "--json", "--out", str(own_folder / "out"), within=100
    )
    assert done.code == 0, done.err
    rounds = json.loads(done.out)["rounds"]
    (session,) = rounds["measured"]
    assert (session["target"], session["operation"], session["failed"]) == ("minos", "session", {})
    assert session["answers"] > 0
    assert session["cpu_ms"].keys() == {"api", "hashing", "workers", "nats", "up", "postgres"}
    assert [(served["target"], served["round"]) for served in rounds["served"]] == [("minos", 1)]
    assert "| authenticated read | Minos |" in (own_folder / "out" / "peers.md").read_text()
