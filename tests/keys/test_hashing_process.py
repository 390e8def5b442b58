"""The process that hashes: killed, told to stop, short of memory, left alone; and what it knows and shows of secrets."""

import asyncio
import os
import re
import resource
import select
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from adapters.giving_way import take_short_turns
from adapters.hashing import link, wire
from adapters.hashing.hasher import Argon2Hasher
from adapters.hashing.link import AGAIN_SECONDS, NICENESS, Cost, HashingEnded, HashingLink
from adapters.hashing.process import IDLE_S, TURN_NS
from commands.ports import Verified
from domain.errors import Overloaded
from tests.niceness import gives_way

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
    """Each hash takes longer than it takes to kill somebody, and nobody goes away meanwhile."""
    made = Argon2Hasher(threads=2, passes=16)
    made._queue._stale = 20.0
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
    assert told == [{"event": "hashing_process_ended", "log_level": "warning", "reason": "ended", "exit_code": -signal.SIGKILL}]


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
    return process is not None and any(number != wire.READY for number in process._waiting)


async def test_one_that_was_stopped_is_started_anew(hasher: Argon2Hasher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "ANSWER_SECONDS", 0.3)
    stopped = hasher.pid
    assert stopped is not None
    os.kill(stopped, signal.SIGSTOP)
    with structlog.testing.capture_logs() as told, pytest.raises(Overloaded):
        await asyncio.wait_for(hasher.verify(None, PASSWORD), 10)
    assert [line["reason"] for line in told] == ["no answer"]
    monkeypatch.undo()
    assert await hasher.verify(None, PASSWORD) == WRONG
    assert hasher.pid != stopped


@pytest.mark.parametrize("steps", range(5))
async def test_whoever_gives_up_while_it_begins_leaves_none_behind(steps: int) -> None:
    before = set(psutil.Process().children())
    made = HashingLink(Cost(8, 1, 1))
    begins = asyncio.create_task(made.start())
    for _ in range(steps):
        await asyncio.sleep(0)
    begins.cancel()
    with suppress(asyncio.CancelledError):
        await begins
    assert set(psutil.Process().children()) <= before
    await made.start()
    assert made.pid is not None
    made.close()
    assert set(psutil.Process().children()) <= before


async def test_what_nobody_expected_ends_it_and_not_one_thread_of_it(capfd: pytest.CaptureFixture[str]) -> None:
    """A stored hash that is no text of Unicode is stopped before it; here it gets there all the same."""
    hasher = Argon2Hasher(threads=2)
    encoded = await hasher.hash(PASSWORD)
    broken = _bytes_for(hasher, b"\0\0\0\1\0\0\0\0\1\0\0\0\0\xff")
    with structlog.testing.capture_logs() as told:
        await asyncio.wait_for(broken, 10)
        assert await hasher.verify(encoded, PASSWORD) == RIGHT
    hasher.close()
    assert [line["exit_code"] for line in told] == [1]
    assert capfd.readouterr().err == "minos: the hashing process ends: UnicodeDecodeError\n"


async def _bytes_for(hasher: Argon2Hasher, message: bytes) -> None:
    """Send it something, and wait until it has ended."""
    process = hasher._link._process
    assert process is not None
    process._transport.write(message)
    while not process.ended:
        await asyncio.sleep(0.001)


@pytest.mark.parametrize(
    "encoded", ["$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$\u00e9AAA", "$argon2id$v=19$m=\u0668,t=1,p=1$c29tZXNhbHQ$AAAA", "\ud800"]
)
async def test_threat_20_a_stored_hash_of_strange_letters_matches_nothing_and_harms_nobody(hasher: Argon2Hasher, encoded: str) -> None:
    begun = hasher.pid
    assert await asyncio.wait_for(hasher.verify(encoded, PASSWORD), 10) == WRONG
    assert hasher.pid == begun


async def test_one_that_cannot_begin_is_told_at_the_start_and_left_alone_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    made = HashingLink(Cost(8, 1, 1))
    with structlog.testing.capture_logs():
        with pytest.raises(HashingEnded, match="ended"):
            await made.start()
        with pytest.raises(HashingEnded, match="a moment ago"):
            await made.ask("", PASSWORD)
    monkeypatch.undo()
    await asyncio.sleep(AGAIN_SECONDS)
    assert await made.ask("", PASSWORD)
    made.close()


async def test_closing_while_it_begins_leaves_nothing() -> None:
    made = HashingLink(Cost(8, 1, 1))
    starting = asyncio.create_task(made.start())
    while made.pid is None:
        await asyncio.sleep(0)
    pid = made.pid
    made.close()
    with pytest.raises(HashingEnded):
        await starting
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


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
@pytest.mark.parametrize("stopped", [False, True])
def test_it_ends_with_the_service_however_that_ends(stopped: bool) -> None:
    with subprocess.Popen([sys.executable, "-c", _SERVICE], stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout is not None
        pid = int(service.stdout.readline())
        process = os.pidfd_open(pid)
        if stopped:
            os.kill(pid, signal.SIGSTOP)
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
    assert os.getsid(pid) == pid
    await _until(lambda: gives_way(pid, NICENESS))
    tasks = Path(f"/proc/{pid}/task")
    await _until(lambda: len(list(tasks.iterdir())) == 3)  # itself and two that hash: the one that said so has gone
    turns = [_turn_ns(thread) for thread in tasks.iterdir() if thread.name != str(pid)]
    assert turns.count(await asyncio.to_thread(_turn_taken)) == 2, turns


def _turn_taken() -> int | None:
    take_short_turns(TURN_NS)
    return _turn_ns(Path("/proc/thread-self"))


def _turn_ns(thread: Path) -> int | None:
    """How long Linux lets it run before another that woke. None where it does not say."""
    try:
        told = (thread / "sched").read_text()
    except OSError:
        return None
    found = re.search(r"^se\.slice\s*:\s*(\d+)$", told, re.MULTILINE)
    return None if found is None else int(found[1])


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.01)


@only_linux
async def test_it_knows_none_of_the_services_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MINOS_MASTER_KEY", "LD_SDK_KEY", "PATH_TO_KEY", "PYTHON_TOKEN", "OTEL_EXPORTER_OTLP_HEADERS"):
        monkeypatch.setenv(name, "a-secret-of-ours")
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
    for _ in range(10):  # two at a time: where others take the cores, a queue of twenty is older than a hash may wait
        await asyncio.gather(*(hasher.verify(None, PASSWORD) for _ in range(2)))
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
    nowhere = HashingLink(Cost(8, 1, 1))
    with pytest.raises(HashingEnded, match="No such file"):
        await nowhere.ask("", PASSWORD)
    nowhere.close()


@given(requests=st.lists(st.tuples(st.integers(0, 2**32 - 1), texts, texts, st.sampled_from(wire.Asked)), max_size=5))
def test_what_is_asked_is_what_is_read(requests: list[tuple[int, str, str, wire.Asked]]) -> None:
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
