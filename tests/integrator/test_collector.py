"""Checkpoints are cosigned by the witnesses of a policy; the log goes on whatever they do."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from http import HTTPStatus
from pathlib import Path

import asyncpg
import pytest

from adapters.log_policy import is_cosigned
from adapters.secret import Secret
from adapters.settings import Settings
from adapters.witness import asking
from adapters.witness.witness import Answer
from cli import tree_checks
from domain.tree.policy import Policy
from domain.tree.policy_file import read_policy
from domain.tree.submission import SIZE_TYPE, read_submission, write_answer
from tests.integrator.conftest import Ground, settle
from tests.mail.server import make_certificate
from tests.trickling import BEGINNINGS, trickling
from tests.witness.logs import TestLog
from tests.witness.served import ServedWitness, serving
from workers.integrator.collector import Collector, Witnessed
from workers.integrator.correspondent import Outcome
from workers.integrator.integrator import Integrator


@pytest.fixture
def witnesses(ground: Ground, tmp_path: Path) -> Iterator[list[ServedWitness]]:
    with ExitStack() as stack:
        log = ground.signer.name.verifier(1)
        yield [stack.enter_context(serving(ServedWitness(name, tmp_path, log))) for name in ("w1", "w2", "w3")]


class Collected:
    """A collector, the integrator beside it, and all that was heard."""

    def __init__(self, ground: Ground, witnesses: list[ServedWitness], quorum: str) -> None:
        text = "".join(each.line for each in witnesses) + f"group all-of-them {quorum} w1 w2 w3\nquorum all-of-them\n"
        self.policy: Policy = read_policy(text.encode())
        self.ground = ground
        self.heard: list[tuple[str, Outcome]] = []
        self.rounds: list[Witnessed] = []
        self.integrator: Integrator = ground.integrator()
        self.again()

    def again(self) -> None:
        """Another process of the same."""
        observe, heard = self.rounds.append, self._hear
        self.collector = Collector(self.ground.database.app_url, self.policy, observe=observe, heard=heard)

    def _hear(self, name: str, outcome: Outcome) -> None:
        self.heard.append((name, outcome))

    async def grow(self, events: int) -> None:
        await self.ground.grow(events)
        await settle(self.integrator)

    async def cosigned(self) -> int:
        """The size up to which a reader who knows the policy is content with what is kept."""
        found = await self.ground.tree.newest_cosigned(1)
        if found is None:
            return 0
        assert is_cosigned(self.policy, found.note, self.ground.signer.name.verifier(found.epoch))
        return found.size


Begin = Callable[[str], Collected]


@pytest.fixture
async def begin(ground: Ground, witnesses: list[ServedWitness]) -> AsyncIterator[Begin]:
    made: list[Collected] = []

    def begun(quorum: str) -> Collected:
        made.append(Collected(ground, witnesses, quorum))
        return made[-1]

    yield begun
    for each in made:
        await each.collector.close()


async def test_a_growing_log_is_cosigned_by_the_quorum(begin: Begin, witnesses: list[ServedWitness]) -> None:
    collected = begin("all")
    for size, events in ((3, 3), (10, 7), (300, 290)):
        await collected.grow(events)
        await collected.collector.step()
        assert await collected.cosigned() == size
        assert collected.rounds[-1] == Witnessed(size=size, waiting_s=0)
    assert [each.size for each in witnesses] == [300] * 3
    asked = [each.requests for each in witnesses]
    await collected.collector.step()
    assert [each.requests for each in witnesses] == asked, "what is cosigned is submitted no more"


async def test_one_that_begins_again_is_told_where_each_witness_is(begin: Begin) -> None:
    collected = begin("all")
    await collected.grow(3)
    await collected.collector.step()
    await collected.collector.close()
    await collected.grow(4)
    collected.again()
    await collected.collector.step()
    assert await collected.cosigned() == 7


async def test_a_quorum_does_not_wait_for_who_is_away_and_the_log_for_nobody(begin: Begin, witnesses: list[ServedWitness]) -> None:
    collected = begin("2")
    gone = Answer(status=HTTPStatus.BAD_GATEWAY, body="")
    witnesses[0].mischief = lambda _raw, _honest: gone
    await collected.grow(3)
    await collected.collector.step()
    assert await collected.cosigned() == 3
    await asyncio.gather(*collected.collector._asking.values())
    assert ("w1", Outcome.AWAY) in collected.heard, "when it answers, which nothing waited for"
    for each in witnesses:
        each.mischief = lambda _raw, _honest: gone
    await collected.grow(4)
    await collected.collector.step()
    assert (await collected.ground.checkpoint()).size == 7, "signed and published all the same"
    assert await collected.cosigned() == 3, "and what is served stays what was cosigned"
    assert collected.rounds[-1].size == 3
    assert collected.rounds[-1].waiting_s > 0


async def test_signatures_under_one_checkpoint_are_gathered_over_several_rounds(
    begin: Begin, witnesses: list[ServedWitness], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.integrator.correspondent.FIRST_PAUSE_S", 0.0)
    collected = begin("all")
    witnesses[2].mischief = lambda _raw, _honest: Answer(status=HTTPStatus.SERVICE_UNAVAILABLE, body="")
    await collected.grow(3)
    await collected.collector.step()
    assert await collected.cosigned() == 0
    asked = witnesses[0].requests
    witnesses[2].mischief = None
    await collected.collector.step()
    assert await collected.cosigned() == 3
    assert witnesses[0].requests == asked, "who has cosigned it is not asked again"


async def test_who_fails_is_left_alone_for_longer_and_longer(begin: Begin, witnesses: list[ServedWitness]) -> None:
    collected = begin("all")
    witnesses[0].mischief = lambda _raw, _honest: Answer(status=HTTPStatus.SERVICE_UNAVAILABLE, body="")
    await collected.grow(3)
    correspondent, now = collected.collector._witnesses[0], 0.0
    correspondent._clock = lambda: now
    asked: list[float] = []
    for tenth in range(400):
        now, before = tenth / 10, witnesses[0].requests
        await collected.collector.step()
        if witnesses[0].requests > before:
            asked.append(now)
    assert asked == [0.0, 1.0, 3.0, 7.0, 15.0, 31.0]


async def test_a_slow_witness_holds_up_nobody_else(begin: Begin, witnesses: list[ServedWitness]) -> None:
    collected = begin("2")
    released = threading.Event()

    def late(raw: bytes, honest: Callable[[bytes], Answer]) -> Answer:
        released.wait(60)
        return honest(raw)

    witnesses[1].mischief = late
    try:
        for size in (1, 2, 3):
            await collected.grow(1)
            await collected.collector.step()
            assert await collected.cosigned() == size
        assert witnesses[1].requests == 1, "nor is it asked again while it has not answered"
    finally:
        released.set()


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=HTTPStatus.OK, body=""),
        Answer(status=HTTPStatus.OK, body="thanks\n"),
        Answer(status=HTTPStatus.OK, body="x" * 70_000),
        Answer(status=HTTPStatus.CONFLICT, body="999999999\n", media_type=SIZE_TYPE),
        Answer(status=HTTPStatus.CONFLICT, body="1\n", media_type=SIZE_TYPE),
        Answer(status=HTTPStatus.CONFLICT, body="-1\n", media_type=SIZE_TYPE),
        Answer(status=HTTPStatus.CONFLICT, body="another root was cosigned"),
        Answer(status=HTTPStatus.NOT_FOUND, body="unknown"),
        Answer(status=HTTPStatus.FOUND, body=""),
    ],
    ids=lambda answer: f"{answer.status.value} {answer.body[:12]!r}",
)
async def test_nothing_a_witness_says_passes_for_its_signature(begin: Begin, witnesses: list[ServedWitness], answer: Answer) -> None:
    collected = begin("all")
    witnesses[0].mischief = lambda _raw, _honest: answer
    await collected.grow(3)
    await collected.collector.step()
    assert await collected.cosigned() == 0
    assert [outcome for name, outcome in collected.heard if name == "w1"] != [Outcome.COSIGNED]


async def test_a_signature_of_another_text_or_witness_does_not_count(begin: Begin, witnesses: list[ServedWitness]) -> None:
    collected = begin("all")
    await collected.grow(3)

    def of_another_text(raw: bytes, _: Callable[[bytes], Answer]) -> Answer:
        text = read_submission(raw).note.text.replace("\n3\n", "\n4\n")
        return Answer(status=HTTPStatus.OK, body=write_answer([witnesses[0].key.cosign(text, at=1)]))

    def of_another_witness(raw: bytes, _: Callable[[bytes], Answer]) -> Answer:
        return Answer(status=HTTPStatus.OK, body=write_answer([witnesses[1].key.cosign(read_submission(raw).note.text, at=1)]))

    for mischief in (of_another_text, of_another_witness):
        collected.again()
        witnesses[0].mischief = mischief
        await collected.collector.step()
        await collected.collector.close()
        assert await collected.cosigned() == 0
    assert collected.heard.count(("w1", Outcome.REFUSED)) == 2


async def test_a_forked_log_gets_no_quorum_for_its_second_history(begin: Begin, witnesses: list[ServedWitness]) -> None:
    """Whoever owns the database, the key and the second place can sign two histories; witnesses sign one."""
    collected = begin("all")
    await collected.grow(5)
    await collected.collector.step()
    owner = TestLog(collected.ground.signer.name.origin(1), of="other")
    owner._private, owner.key = collected.ground.signer._key, collected.ground.signer.name.verifier(1)
    for size in (5, 6, 9):
        assert [each.honest(owner.submission(5, size)).status for each in witnesses] == [409 if size == 5 else 422] * 3
    await collected.grow(1)
    await collected.collector.step()
    assert await collected.cosigned() == 6


async def test_a_witness_that_does_not_answer_is_not_waited_for(
    begin: Begin, witnesses: list[ServedWitness], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "TIMEOUT_S", 0.2)
    collected = begin("2")

    def never(_raw: bytes, _honest: Callable[[bytes], Answer]) -> Answer:
        time.sleep(0.5)
        return Answer(status=HTTPStatus.OK, body="")

    witnesses[0].mischief = witnesses[1].mischief = never
    await collected.grow(3)
    await collected.collector.step()
    assert collected.heard.count(("w1", Outcome.AWAY)) == 1


async def test_a_witness_over_tls_is_known_by_its_certificate(
    begin: Begin, ground: Ground, witnesses: list[ServedWitness], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = make_certificate(tmp_path)
    with serving(ServedWitness("secure", tmp_path, ground.signer.name.verifier(1)), certificate.context()) as secure:
        secure.name, witnesses[0] = "w1", secure
        collected = begin("all")
        await collected.grow(3)
        await collected.collector.step()
        assert (await collected.cosigned(), secure.requests) == (0, 0), "nobody vouches for it"
        await collected.collector.close()
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate.chain))
        collected.again()
        await collected.collector.step()
        assert await collected.cosigned() == 3


@pytest.mark.parametrize("begins", BEGINNINGS)
async def test_a_witness_whose_answer_does_not_end_is_hung_up_on(
    begin: Begin, witnesses: list[ServedWitness], monkeypatch: pytest.MonkeyPatch, begins: bytes
) -> None:
    monkeypatch.setattr(asking, "WHOLE_S", 0.3)
    with trickling(begins) as slow:
        witnesses[0].url = f"http://127.0.0.1:{slow.port}"
        collected = begin("all")
        await collected.grow(3)
        await collected.collector.step()
        assert ("w1", Outcome.AWAY) in collected.heard
        assert await asyncio.to_thread(slow.was_hung_up_on)


async def test_doctor_says_how_far_the_witnesses_are(begin: Begin, ground: Ground, witnesses: list[ServedWitness]) -> None:
    collected = begin("all")
    settings = Settings(database_url=Secret(ground.database.app_url), second_place=str(ground.place._folder), log_policy=Path("policy"))
    await collected.grow(3)
    await ground.as_owner("UPDATE log_checkpoints SET published_at = now() - interval '1 minute'")
    found = {finding.check: finding async for finding in tree_checks.tree(settings)}["witnesses"]
    assert not found.ok
    assert "0 events are under a checkpoint that their quorum cosigned, the next one has waited" in found.detail
    await collected.collector.step()
    found = {finding.check: finding async for finding in tree_checks.tree(settings)}["witnesses"]
    assert found.ok
    assert found.detail.startswith("3 events")


@pytest.mark.parametrize("statement", ["UPDATE log_checkpoints SET note = 'other'", "UPDATE log_checkpoints SET cosigned = 'other'"])
async def test_lines_of_witnesses_are_all_that_comes_to_a_checkpoint(begin: Begin, ground: Ground, statement: str) -> None:
    collected = begin("all")
    await collected.grow(3)
    owner = await asyncpg.connect(ground.database.owner_url)
    app = await asyncpg.connect(ground.database.app_url)
    try:
        with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.CheckViolationError)):
            await owner.execute(statement)
        with pytest.raises(asyncpg.CheckViolationError):
            await app.fetchval("SELECT store_cosigned(1, 3, 'another note')")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app.execute("UPDATE log_checkpoints SET cosigned = note")
    finally:
        await owner.close()
        await app.close()
