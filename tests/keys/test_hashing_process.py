"""The process that hashes: killed, told to stop, short of memory, left alone; and what it knows and shows of secrets."""

import asyncio
import os
import resource
import select
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from adapters.hashing import wire
from adapters.hashing.hasher import Argon2Hasher
from adapters.hashing.link import NICENESS, Cost, HashingEnded, HashingLink
from adapters.hashing.process import IDLE_S
from commands.ports import Verified
from domain.errors import Overloaded

PASSWORD = "correct horse battery staple"
RIGHT, WRONG = Verified(True, False), Verified(False, False)

only_linux = pytest.mark.skipif(sys.platform != "linux", reason="asks Linux about the process")
texts = st.text(max_size=40) | st.just("\ud800")


@pytest.fixture
async def hasher() -> AsyncIterator[Argon2Hasher]:
    made = Argon2Hasher(threads=2)
    await made.start()
    yield made
    made.close()


@pytest.fixture
def slow() -> Iterator[Argon2Hasher]:
    """Each hash takes longer than it takes to kill somebody."""
    made = Argon2Hasher(threads=2, passes=16)
    yield made
    made.close()


async def test_it_is_there_before_anybody_waits_for_it(hasher: Argon2Hasher) -> None:
    begun = hasher.pid
    assert begun is not None
    await hasher.hash(PASSWORD)
    assert hasher.pid == begun


async def test_hashes_under_way_are_made_again_when_it_is_killed(slow: Argon2Hasher) -> None:
    encoded = await slow.hash(PASSWORD)
    asked = [asyncio.create_task(slow.verify(encoded, word)) for word in (PASSWORD, "wrong", PASSWORD, "wrong")]
    await asyncio.sleep(0.05)
    killed = slow.pid
    assert killed is not None
    with structlog.testing.capture_logs() as told:
        os.kill(killed, signal.SIGKILL)
        assert await asyncio.wait_for(asyncio.gather(*asked), 20) == [RIGHT, WRONG, RIGHT, WRONG]
    assert slow.pid != killed
    assert told == [{"event": "hashing_process_ended", "log_level": "warning", "exit_code": -signal.SIGKILL}]


async def test_killed_again_and_again_it_turns_away_instead_of_trying_for_ever(slow: Argon2Hasher) -> None:
    asked = asyncio.create_task(slow.verify(None, PASSWORD))
    with structlog.testing.capture_logs():
        for _ in range(2):
            before = slow.pid
            while slow.pid in {None, before} or not _waits_for_an_answer(slow):
                await asyncio.sleep(0.001)
            os.kill(slow.pid or 0, signal.SIGKILL)
        with pytest.raises(Overloaded):
            await asyncio.wait_for(asked, 10)
        assert await asyncio.wait_for(slow.verify(None, PASSWORD), 20) == WRONG


def _waits_for_an_answer(hasher: Argon2Hasher) -> bool:
    process = hasher._link._process
    return process is not None and bool(process._waiting)


async def test_signals_for_the_service_do_not_end_it(hasher: Argon2Hasher) -> None:
    await hasher.hash(PASSWORD)
    begun = hasher.pid
    assert begun is not None
    for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(begun, sig)
    assert await hasher.verify(None, PASSWORD) == WRONG
    assert hasher.pid == begun


async def test_closing_leaves_no_process_and_no_hope(slow: Argon2Hasher) -> None:
    asked = asyncio.create_task(slow.verify(None, PASSWORD))
    while not _waits_for_an_answer(slow):
        await asyncio.sleep(0.001)
    begun = slow.pid
    assert begun is not None
    slow.close()
    with pytest.raises(ProcessLookupError):
        os.kill(begun, 0)
    with pytest.raises(Overloaded):
        await asked
    with pytest.raises(Overloaded):
        await slow.verify(None, PASSWORD)


@only_linux
def test_it_ends_with_the_service_however_that_ends() -> None:
    with subprocess.Popen([sys.executable, "-c", _SERVICE], stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout is not None
        process = os.pidfd_open(int(service.stdout.readline()))
        service.kill()
    ended, _, _ = select.select([process], [], [], 10)
    os.close(process)
    assert ended


_SERVICE = """
import asyncio
from adapters.hashing.hasher import Argon2Hasher

async def main():
    hasher = Argon2Hasher(threads=1)
    await hasher.hash("x")
    print(hasher.pid, flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


@only_linux
async def test_without_memory_it_refuses_and_calls_no_password_wrong(hasher: Argon2Hasher) -> None:
    encoded = await hasher.hash(PASSWORD)
    pid = hasher.pid
    assert pid is not None
    await asyncio.sleep(IDLE_S + 0.5)  # until it has given back what it had
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[0])
    most = (pages + 1_000) * resource.getpagesize()
    resource.prlimit(pid, resource.RLIMIT_AS, (most, most))
    for asked in (hasher.verify(encoded, PASSWORD), hasher.hash(PASSWORD)):
        with pytest.raises(Overloaded):
            await asked
    assert hasher.pid == pid


@only_linux
async def test_it_gives_way_to_everything_else(hasher: Argon2Hasher) -> None:
    await hasher.hash(PASSWORD)
    pid = hasher.pid
    assert pid is not None
    assert os.getpriority(os.PRIO_PROCESS, pid) == NICENESS
    assert os.getsid(pid) == pid
    autogroup = Path(f"/proc/{pid}/autogroup")
    if autogroup.exists() and "nice" in (group := autogroup.read_text()):
        assert group.split()[-1] == str(NICENESS)


@only_linux
async def test_it_knows_none_of_the_services_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINOS_MASTER_KEY", "a-secret-of-ours")
    hasher = Argon2Hasher(memory_kib=1_024, passes=1, threads=1)
    await hasher.hash(PASSWORD)
    process = Path(f"/proc/{hasher.pid}")
    shown = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
    open_files = {str(fd.readlink()) for fd in (process / "fd").iterdir()}
    hasher.close()
    assert b"a-secret-of-ours" not in shown
    assert PASSWORD.encode() not in shown
    assert sum(name.startswith("socket:") for name in open_files) == 1, "no socket of the service's but the one to it"


@only_linux
async def test_the_memory_of_hashes_goes_back_when_none_came_for_a_while(hasher: Argon2Hasher) -> None:
    before = await _resident_mib(hasher)
    await asyncio.gather(*(hasher.verify(None, PASSWORD) for _ in range(6)))
    await asyncio.sleep(IDLE_S + 0.5)
    assert await _resident_mib(hasher) - before < 8, "two threads had 19 MiB each"


@only_linux
async def test_one_hash_after_another_works_in_the_same_memory(hasher: Argon2Hasher) -> None:
    await asyncio.gather(*(hasher.verify(None, PASSWORD) for _ in range(6)))
    before = _page_faults(hasher)
    await asyncio.gather(*(hasher.verify(None, PASSWORD) for _ in range(20)))
    assert (_page_faults(hasher) - before) / 20 < 1_000, "19 MiB are 4,864 pages"


async def _resident_mib(hasher: Argon2Hasher) -> int:
    await asyncio.sleep(0.2)  # until it has started
    pages = int(Path(f"/proc/{hasher.pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize() >> 20


def _page_faults(hasher: Argon2Hasher) -> int:
    after_name = Path(f"/proc/{hasher.pid}/stat").read_text().rpartition(")")[2].split()
    return int(after_name[7])


async def test_no_process_can_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    link = HashingLink(Cost(8, 1, 1))
    with pytest.raises(HashingEnded, match="No such file"):
        await link.ask("", PASSWORD)
    link.close()


@given(requests=st.lists(st.tuples(st.integers(0, 2**32 - 1), st.text(st.characters(codec="ascii")), texts), max_size=5))
def test_what_is_asked_is_what_is_read(requests: list[tuple[int, str, str]]) -> None:
    asked = [wire.Request(*request) for request in requests]
    sent = bytearray(b"".join(wire.request(each) for each in asked))

    def read(size: int) -> bytes:
        taken = bytes(sent[:size])
        del sent[:size]
        return taken

    assert [wire.read_request(read) for _ in asked] == asked
    assert wire.read_request(read) is None


@given(outcomes=st.lists(st.tuples(st.integers(0, 2**32 - 1), st.binary(max_size=100)), max_size=6), cut=st.integers(1, 40))
def test_answers_come_whole_however_they_are_cut(outcomes: list[tuple[int, bytes]], cut: int) -> None:
    sent = b"".join(wire.answer(number, outcome) for number, outcome in outcomes)
    received = bytearray()
    taken: list[tuple[int, bytes]] = []
    for start in range(0, len(sent), cut):
        received += sent[start : start + cut]
        taken += wire.take_answers(received)
    assert taken == outcomes
    assert not received


def test_a_request_shows_nothing_of_what_it_asks() -> None:
    assert PASSWORD not in repr(wire.Request(1, "$argon2id$secret", PASSWORD))
    assert "argon2id" not in repr(wire.Request(1, "$argon2id$secret", PASSWORD))
