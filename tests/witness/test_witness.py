"""A witness cosigns what continues all that it has seen, and nothing else (C2SP tlog-witness)."""

import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Barrier

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.note_keys import NoKeyFile, WitnessKey
from adapters.witness.folder import Home, NoLogs, WitnessExists
from adapters.witness.memory import MemoryLost, Seen, WitnessMemory
from adapters.witness.witness import Witness
from domain.tree.proofs import check_consistency
from domain.tree.submission import SIZE_TYPE, write_submission
from tests.witness.conftest import Cosigner
from tests.witness.logs import TestLog


def test_a_log_that_grows_is_cosigned_each_time_and_again(cosigner: Cosigner, log: TestLog) -> None:
    for old, size in [(0, 0), (0, 3), (3, 7), (7, 7), (7, 300)]:
        checkpoint = cosigner.cosigned(log.submission(old, size))
        assert checkpoint is not None
        assert checkpoint.size == size
    assert cosigner.memory.seen(log.key.name).note == log.note(300)


def test_each_refusal_has_its_status(cosigner: Cosigner, log: TestLog) -> None:
    fork = TestLog(of="other")
    stranger = TestLog("example.com/unknown")
    unsigned = log.note(7).replace(log.note(7).split()[-1], fork.note(8).split()[-1])
    assert cosigner.status(stranger.submission(0, 7)) == 404
    assert cosigner.status(write_submission(0, [], unsigned)) == 403
    assert cosigner.status(write_submission(0, [], log.note(7).replace("— example.com/log", "— example.com/other"))) == 403
    assert cosigner.status(b"old 0\n\nnonsense") == 400
    assert cosigner.status(log.submission(8, 7)) == 400
    assert cosigner.status(write_submission(0, [bytes(32)], log.note(7))) == 422, "of nothing there is nothing to prove"
    assert cosigner.status(log.submission(0, 5)) == 200
    assert cosigner.status(write_submission(5, [], log.note(7))) == 422
    assert cosigner.status(fork.submission(5, 7)) == 422
    assert cosigner.status(fork.submission(5, 5)) == 409
    assert cosigner.status(write_submission(5, [bytes(32)], log.note(5))) == 422
    assert cosigner.memory.seen(log.key.name).size == 5


def test_who_is_elsewhere_is_told_where_the_witness_is(cosigner: Cosigner, log: TestLog) -> None:
    cosigner.status(log.submission(0, 5))
    for old in (0, 4, 6):
        answer = cosigner.witness.add(log.submission(old, 7))
        assert (answer.status.value, answer.body, answer.media_type) == (409, "5\n", SIZE_TYPE)


def test_a_fork_of_one_size_is_refused_and_kept_once_as_evidence(cosigner: Cosigner, log: TestLog) -> None:
    fork = TestLog(of="other", common=3)
    cosigner.status(log.submission(0, 5))
    for _ in range(2):
        assert cosigner.status(fork.submission(5, 5)) == 409
    assert cosigner.memory.forks() == [fork.note(5)]
    assert cosigner.memory.seen(log.key.name).note == log.note(5)


def test_a_key_in_the_line_of_another_log_signs_for_its_own_alone(home: Home, log: TestLog) -> None:
    other = TestLog("example.com/second")
    (home.folder / "logs").write_text(f"{log.line}{other.line}quorum none\n")
    cosigner = Cosigner(home)
    assert cosigner.status(log.submission(0, 5)) == cosigner.status(other.submission(0, 9)) == 200
    assert (cosigner.memory.seen(log.key.name).size, cosigner.memory.seen(other.key.name).size) == (5, 9)


STEPS = st.lists(st.tuples(st.sampled_from(["one", "other"]), st.integers(0, 12), st.integers(0, 12)), max_size=25)


@given(steps=STEPS, common=st.integers(0, 12))
def test_whatever_is_submitted_all_that_was_cosigned_is_one_history(steps: list[tuple[str, int, int]], common: int) -> None:
    logs = {name: TestLog(of=name, common=common) for name in ("one", "other")}
    with TemporaryDirectory() as folder:
        home = Home(folder=Path(folder) / "w")
        home.make("w")
        (home.folder / "logs").write_text(f"{logs['one'].line}quorum none\n")
        cosigner = Cosigner(home)
        signed = [(name, checkpoint) for name, old, size in steps if (checkpoint := cosigner.cosigned(logs[name].submission(old, size)))]
        cosigner.memory.close()
    for (_, before), (name, after) in pairwise(signed):
        path = logs[name].proof(before.size, after.size)
        check_consistency(path, first=before.size, second=after.size, first_root=before.root, second_root=after.root)


class Together(WitnessMemory):
    """Looks, and goes on when all the others have looked as well."""

    gate = Barrier(4)
    looked = False

    def seen(self, origin: str) -> Seen:
        found = super().seen(origin)
        if not self.looked:
            self.looked = True
            self.gate.wait(10)
        return found


@pytest.mark.parametrize("old", [0, 5])
@pytest.mark.parametrize("order", [1, -1])
def test_of_several_that_race_one_moves_the_witness_and_none_moves_it_back(home: Home, log: TestLog, old: int, order: int) -> None:
    """Each in the place of a process: a connection of its own, and all have found the same before any writes."""
    Cosigner(home).status(log.submission(0, old))
    sizes = [old + 1 + n for n in range(4)][::order]
    key, logs = home.key(), home.logs()

    def race(size: int) -> int:
        return Witness(key, logs, Together(home.folder / "memory", key.public.line())).add(log.submission(old, size)).status.value

    with ThreadPoolExecutor(len(sizes)) as threads:
        statuses = list(threads.map(race, sizes))
    assert sorted(statuses) == [200, 409, 409, 409]
    assert Cosigner(home).memory.seen(log.key.name).size == sizes[statuses.index(200)]


def test_what_was_remembered_before_a_kill_is_what_the_witness_goes_on_from(home: Home, log: TestLog) -> None:
    killed = subprocess.run([sys.executable, "-m", "tests.witness.killed", str(home.folder)], input=log.submission(0, 5), check=False)
    assert killed.returncode == -signal.SIGKILL
    again = Cosigner(home)
    assert again.status(TestLog(of="other").submission(0, 6)) == 409, "nothing else can take the place of what was about to be answered"
    assert again.status(log.submission(5, 5)) == 200


def test_a_witness_that_forgot_does_not_start(home: Home) -> None:
    memory = home.folder / "memory"
    with pytest.raises(WitnessExists):
        home.make("again")
    shutil.copy(memory, home.folder / "copy")
    for loss in (memory.unlink, lambda: memory.write_bytes(b""), lambda: memory.write_bytes(b"no database" * 100)):
        loss()
        with pytest.raises(MemoryLost, match="new witness, with a new key"):
            home.memory(home.key())
        shutil.copy(home.folder / "copy", memory)
        home.memory(home.key()).close()


def test_a_new_memory_does_not_pass_for_that_of_an_old_key(home: Home, tmp_path: Path) -> None:
    other = Home(folder=tmp_path / "other")
    other.make("witness.example.org")
    shutil.copy(other.folder / "memory", home.folder / "memory")
    with pytest.raises(MemoryLost, match="another key"):
        home.memory(home.key())


def test_a_key_is_kept_from_others(home: Home) -> None:
    path = home.folder / "key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert WitnessKey.kept(path).public == home.key().public
    path.chmod(0o640)
    with pytest.raises(NoKeyFile, match="read by others"):
        home.key()
    path.chmod(0o600)
    path.write_text(path.read_text().replace("witness.", "other."))
    with pytest.raises(NoKeyFile, match="damaged"):
        home.key()
    path.write_text("nothing")
    with pytest.raises(NoKeyFile, match="no key of a witness"):
        home.key()


@pytest.mark.parametrize("logs", [None, "quorum none\n", "log\nquorum none\n"])
def test_a_witness_of_no_log_does_not_start(home: Home, logs: str | None) -> None:
    (home.folder / "logs").unlink()
    if logs is not None:
        (home.folder / "logs").write_text(logs)
    with pytest.raises(NoLogs):
        home.logs()
