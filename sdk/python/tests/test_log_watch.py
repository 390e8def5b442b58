"""A small witness: it follows a log that grows, and has the evidence when one does not."""

import asyncio
import json
import threading
from base64 import b64encode
from pathlib import Path
from typing import Any

import httpx
import pytest
from bundles import Signer, hashes_of, history, root

from minos_sdk.audit.comparing import Comparer, Seen
from minos_sdk.audit.consistency import is_beginning
from minos_sdk.audit.notes import LogKey, NotAKey
from minos_sdk.audit.watch import Fork, ForkKind, LogWatch, NotRemembered, SyncLogWatch
from minos_sdk.steps import Answered, Retries

ISSUER = "https://auth.example.com"


def consistency(first: int, hashes: tuple[bytes, ...], *, whole: bool = True) -> list[bytes]:
    """RFC 6962, 2.1.2, by the letter."""
    if first == len(hashes):
        return [] if whole else [root(hashes)]
    half = 1 << (len(hashes) - 1).bit_length() - 1
    if first <= half:
        return [*consistency(first, hashes[:half], whole=whole), root(hashes[half:])]
    return [*consistency(first - half, hashes[half:], whole=False), root(hashes[:half])]


class Log:
    """What a server shows. `branch` makes it another history from an entry on; `answers` are given in place of its own."""

    def __init__(self, signer: Signer | None = None) -> None:
        self.signer = signer or Signer()
        self.size, self.branch, self.from_entry = 0, 0, 0
        self.answers: dict[str, httpx.Response] = {}
        self.asked: list[str] = []
        self.noted: str | None = None

    def hashes(self, size: int) -> tuple[bytes, ...]:
        entries = [each + b"%d" % (self.branch if n >= self.from_entry else 0) for n, each in enumerate(history(size))]
        return hashes_of(entries)

    @property
    def note(self) -> str:
        return self.noted or self.signer.note(self.size, root(self.hashes(self.size)))

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        if request.url.path in self.answers:
            return self.answers[request.url.path]
        if request.url.path == "/log/checkpoint":
            return httpx.Response(200, text=self.note)
        first, second = int(request.url.params["first"]), int(request.url.params["second"])
        if second > self.size:
            return httpx.Response(409, json={"code": "tree_too_small", "detail": "fewer"})
        path = consistency(first, self.hashes(second))
        return httpx.Response(200, json={"first": first, "second": second, "hashes": [b64encode(each).decode() for each in path]})

    def watch(self, told: list[Fork], file: Path | None = None) -> LogWatch:
        http = httpx.AsyncClient(transport=httpx.MockTransport(self))
        return LogWatch(ISSUER, self.signer.line, on_fork=told.append, file=file, http=http)


@pytest.fixture
def log() -> Log:
    return Log()


PROOF = "/api/v1/audit/proofs/consistency"


async def looked(log: Log, watch: LogWatch, *sizes: int) -> None:
    for size in sizes:
        log.size = size
        await watch.look()


def test_a_proof_of_consistency_leads_from_its_first_tree_to_its_second_alone() -> None:
    hashes = hashes_of(history(40))
    assert is_beginning((0, root(())), (7, root(hashes[:7])), [])
    assert not is_beginning((0, bytes(32)), (7, root(hashes[:7])), [])
    for second in range(1, 41):
        for first in range(1, second + 1):
            path = consistency(first, hashes[:second])
            before, after = (first, root(hashes[:first])), (second, root(hashes[:second]))
            assert is_beginning(before, after, path)
            assert not is_beginning(before, after, [*path, bytes(32)])
            assert not is_beginning((first, bytes(32)), after, path)
            assert not is_beginning(before, (second, bytes(32)), path)
            assert not path or not is_beginning(before, after, path[:-1])


async def test_a_log_that_grows_is_followed(log: Log) -> None:
    told: list[Fork] = []
    watch = log.watch(told)
    await looked(log, watch, 1, 5, 5, 200)
    assert watch.last_seen is not None
    assert watch.last_seen.size == 200
    assert watch.counts == {"looks": 4, "grown": 3, "same": 1}
    assert log.asked.count(PROOF) == 2, "the first is taken as it is, and what is the same needs no proof"
    assert told == []


async def test_a_second_history_is_told_of_with_both_checkpoints(log: Log) -> None:
    told: list[Fork] = []
    watch = log.watch(told)
    await looked(log, watch, 9)
    kept, log.branch, log.from_entry = log.note, 1, 7
    await looked(log, watch, 9, 9, 12, 12)
    assert [(fork.kind, fork.kept) for fork in told] == [(ForkKind.FORKED, kept), (ForkKind.UNPROVED, kept)], "each once"
    assert watch.last_seen is not None
    assert (watch.last_seen.size, log.signer.note(9, watch.last_seen.root)) == (9, kept), "what was seen first is never let go of"
    assert watch.counts["forked"] == watch.counts["unproved"] == 2


async def test_a_log_that_shrank_is_told_of(log: Log) -> None:
    told: list[Fork] = []
    watch = log.watch(told)
    await looked(log, watch, 9, 4)
    assert [fork.kind for fork in told] == [ForkKind.SHRUNK]
    assert "\n9\n" in told[0].kept
    assert "\n4\n" in told[0].other


async def test_an_older_checkpoint_that_is_part_of_the_newer_one_is_no_fork(log: Log) -> None:
    """As a cache gives it, or a log whose newest waits for its witnesses."""
    told: list[Fork] = []
    watch = log.watch(told)
    await looked(log, watch, 4)
    older = log.note
    await looked(log, watch, 9)
    log.noted = older
    await watch.look()
    assert told == []
    assert watch.counts["older"] == 1
    assert watch.last_seen is not None
    assert watch.last_seen.size == 9


async def test_what_another_key_signed_changes_nothing(log: Log) -> None:
    told: list[Fork] = []
    watch = log.watch(told)
    await looked(log, watch, 9)
    true = log.signer
    for signer, count in ((Signer(), "unsigned"), (Signer("auth.example.com/log/2", true.key), "other_log")):
        log.signer = signer
        log.size = 4
        assert not await watch.look()
        assert watch.counts[count] == 1
    log.signer = true
    log.noted = "hello"
    assert not await watch.look()
    assert told == []
    assert watch.last_seen is not None
    assert watch.last_seen.size == 9


@pytest.mark.parametrize("path", ["/log/checkpoint", PROOF])
@pytest.mark.parametrize(
    ("answer", "count"),
    [
        (httpx.Response(503), "unanswered"),
        (httpx.Response(404, json={"code": "log_not_public"}), "refused"),
        (httpx.Response(302, headers={"location": "https://elsewhere.example"}), "refused"),
    ],
)
async def test_no_answer_is_no_fork_and_makes_the_last_look_old(log: Log, path: str, answer: httpx.Response, count: str) -> None:
    told: list[Fork] = []
    watch = log.watch(told)
    await looked(log, watch, 9)
    at = watch.looked_at
    log.answers[path], log.size = answer, 12
    assert not await watch.look()
    assert (watch.looked_at, watch.counts[count], told) == (at, 1, [])
    del log.answers[path]
    assert await watch.look()


@pytest.mark.parametrize("told", [[], {}, {"hashes": "x"}, {"hashes": [1]}, {"hashes": ["%"]}, "text"])
async def test_what_is_no_proof_of_any_kind_is_no_answer(log: Log, told: object) -> None:
    forks: list[Fork] = []
    watch = log.watch(forks)
    await looked(log, watch, 9)
    log.answers[PROOF] = httpx.Response(200, json=told)
    await looked(log, watch, 12)
    assert forks == []
    assert watch.counts["unanswered"] == 1


async def test_a_restart_goes_on_from_the_file_and_finds_what_was_forked_meanwhile(log: Log, tmp_path: Path) -> None:
    told: list[Fork] = []
    file = tmp_path / "log.checkpoint"
    await looked(log, log.watch(told, file), 9)
    assert file.read_text() == log.note
    log.branch, log.from_entry = 1, 3
    await looked(log, log.watch(told, file), 12, 12)
    evidence = [json.loads(each.read_text()) for each in tmp_path.glob("log.checkpoint.*")]
    assert evidence == [{"kind": "unproved", "kept": file.read_text(), "other": log.note}]


@pytest.mark.parametrize("content", ["", "hello", Signer().note(3, bytes(32))], ids=["empty", "no note", "of another key"])
def test_a_file_that_remembers_something_else_is_not_begun_over(log: Log, tmp_path: Path, content: str) -> None:
    file = tmp_path / "log.checkpoint"
    file.write_text(content)
    with pytest.raises(NotRemembered):
        log.watch([], file)
    assert file.read_text() == content


async def test_a_file_that_cannot_be_written_ends_nothing(log: Log, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    watch = log.watch([], tmp_path / "no folder" / "log.checkpoint")
    await looked(log, watch, 9)
    assert watch.last_seen is not None
    assert "cannot be kept" in caplog.text


async def test_what_a_callback_raises_ends_nothing(log: Log, caplog: pytest.LogCaptureFixture) -> None:
    def broken(_: Fork) -> None:
        raise RuntimeError

    watch = LogWatch(ISSUER, log.signer.line, on_fork=broken, http=httpx.AsyncClient(transport=httpx.MockTransport(log)))
    await looked(log, watch, 9, 4, 10)
    assert watch.last_seen is not None
    assert watch.last_seen.size == 10
    assert "callback on a fork" in caplog.text


async def test_what_heartbeats_tell_is_compared_with_what_is_served(log: Log) -> None:
    """Whoever shows one history over NATS and another over HTTP is found out at the first look."""

    class Heard:
        class receiver:  # noqa: N801 - as a verifier has it
            checkpoint: str | None = None

    told: list[Fork] = []
    http = httpx.AsyncClient(transport=httpx.MockTransport(log))
    watch = LogWatch(ISSUER, log.signer.line, on_fork=told.append, verifier=Heard(), http=http)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    log.size = 9
    Heard.receiver.checkpoint, log.branch = log.note, 1
    await watch.look()
    assert [fork.kind for fork in told] == [ForkKind.FORKED]


async def test_heartbeats_are_compared_also_where_no_checkpoint_is_served(log: Log) -> None:
    """As while the witnesses of a log are away."""

    class Heard:
        class receiver:  # noqa: N801 - as a verifier has it
            checkpoint: str | None = None

    http = httpx.AsyncClient(transport=httpx.MockTransport(log))
    watch = LogWatch(ISSUER, log.signer.line, on_fork=print, verifier=Heard(), http=http)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    log.answers["/log/checkpoint"] = httpx.Response(503, json={"code": "not_witnessed"})
    for size in (3, 9):
        log.size = size
        Heard.receiver.checkpoint = log.note
        assert not await watch.look()
        assert watch.last_seen is not None
        assert watch.last_seen.size == size


async def test_two_looks_at_once_do_not_keep_what_was_not_compared(log: Log) -> None:
    told: list[Fork] = []
    watch = log.watch(told)
    await looked(log, watch, 5)
    answers = iter([12, 14])
    real = log.__call__

    async def forking(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)
        size = next(answers) if request.url.path == "/log/checkpoint" else int(request.url.params["second"])
        log.size = log.branch = size
        log.from_entry = 5
        return real(request)

    watch._driver = type(watch._driver)(ISSUER, httpx.AsyncClient(transport=httpx.MockTransport(forking)))
    await asyncio.gather(watch.look(), watch.look())
    assert [fork.kind for fork in told] == [ForkKind.UNPROVED]


async def test_it_looks_by_itself_and_stops(log: Log) -> None:
    log.size = 3
    found = asyncio.Event()
    real = log.watch([])
    looks = real.look

    async def look() -> bool:
        whole = await looks()
        found.set()
        return whole

    real.look = look  # type: ignore[method-assign]
    async with real as watch:
        await asyncio.wait_for(found.wait(), 10)
        assert watch.last_seen is not None


def test_code_without_a_loop_has_the_same(log: Log, tmp_path: Path) -> None:
    told: list[Fork] = []
    found = threading.Event()

    def on_fork(fork: Fork) -> None:
        told.append(fork)
        found.set()

    file = tmp_path / "log.checkpoint"
    http = httpx.Client(transport=httpx.MockTransport(log))
    log.size = 9
    with SyncLogWatch(ISSUER, log.signer.line, on_fork=on_fork, file=file, http=http) as watch:
        watch.look()
        log.branch = 1
        watch.look()
        assert found.wait(10)
    assert [fork.kind for fork in told] == [ForkKind.FORKED]
    assert len(list(tmp_path.iterdir())) == 2


def test_a_later_epoch_is_looked_for_where_it_is() -> None:
    log = Log(Signer("auth.example.com/log/12"))
    log.answers["/log/12/checkpoint"] = httpx.Response(200, text=log.signer.note(3, root(log.hashes(3))))
    watch = SyncLogWatch(ISSUER, log.signer.line, on_fork=print, http=httpx.Client(transport=httpx.MockTransport(log)))
    assert watch.look()
    assert watch.last_seen is not None


@pytest.mark.parametrize(
    "given",
    [{"key": "no key"}, {"on_fork": None}, {"every": 0}, {"issuer": "http://elsewhere.example"}],
    ids=lambda given: next(iter(given)),
)
def test_what_it_is_set_up_with_is_refused_at_once(log: Log, given: dict[str, Any]) -> None:
    arguments: dict[str, Any] = {"issuer": ISSUER, "key": log.signer.line, "on_fork": print} | given
    with pytest.raises((ValueError, TypeError, NotAKey)):
        LogWatch(arguments.pop("issuer"), arguments.pop("key"), **arguments)


def test_evidence_is_bounded_however_many_histories_there_are(log: Log) -> None:
    key = LogKey.parse(log.signer.line)
    comparer = Comparer(key, None, Retries(times=1))
    for branch in range(150):
        log.size, log.branch = 3, branch
        plan = comparer.look(())
        next(plan)
        with pytest.raises(StopIteration):
            plan.send(Answered(200, {}, log.note.encode()))
    assert len(comparer.forks) == 100
    assert comparer.counts["forked"] == 149
    assert isinstance(comparer.last_seen, Seen)
