"""Our log, read over HTTP by a program that is not ours (tlog-scales, from PyPI), and by hand."""

import asyncio
import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import asyncpg
import httpx
import msgspec
import pytest
from msgspec import structs
from tlog_scales.reader import TilesReader
from tlog_scales.signing import Vkey
from tlog_scales.tiles import leaf_hash
from tlog_scales.tlog import ConsistencyProof, InclusionProofInvalid

from adapters import master_key
from adapters.checkpoint_key import open_signer
from adapters.embedded_postgres import PostgresServer
from adapters.note_keys import WitnessKey
from adapters.postgres_links import Links
from adapters.second_place import FolderPlace
from adapters.wrapping import Wrapping
from api.app import create
from cli.first_start import prepare
from domain.log import EpochReason
from domain.tree.note import read_note
from domain.tree.policy_file import read_policy
from domain.tree.submission import with_signatures
from domain.tree.tiles import unpack_entries
from tests.api.conftest import BASE, Served, lifespan, settings_for, until_open
from tests.conftest import database_of
from tests.integrator.conftest import settle
from tests.tree.dated import moment, write_dated
from workers.epochs import open_epoch
from workers.integrator import integrator
from workers.integrator.growing import LogChanged
from workers.integrator.integrator import Integrator


@dataclass
class Over:
    """The transport of their reader: it asks from a thread, and our application answers on its loop."""

    http: httpx.AsyncClient
    token: str
    root: str = "/log"

    def __post_init__(self) -> None:
        self._loop = asyncio.get_running_loop()

    def get(self, *path: str) -> bytes | None:
        answer = asyncio.run_coroutine_threadsafe(self.ask("/".join(path)), self._loop).result(30)
        return answer.content if answer.status_code == 200 else None

    async def ask(self, path: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"} if "/entries/" in path else {}
        return await self.http.get(f"{self.root}/{path}", headers=headers)


@dataclass
class Log:
    served: Served
    over: Over
    worker: Integrator

    async def grow(self, events: int) -> None:
        await write_dated(self.served.database.owner_url, self.served.database.app_url, [moment(n) for n in range(events)])
        await settle(self.worker)

    async def newest(self) -> dict[str, Any]:
        answer = await self.served.http.get("/api/v1/audit/checkpoint")
        assert answer.status_code == 200, answer.text
        return msgspec.json.decode(answer.content, type=dict[str, Any])


@pytest.fixture(scope="module")
async def served(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """One of its own: events of these tests are of a kind that no read model knows."""
    admin = await asyncpg.connect(postgres_server.superuser_url)
    await admin.execute("CREATE DATABASE log_tree TEMPLATE minos OWNER minos_owner STRATEGY FILE_COPY")
    database = database_of(postgres_server, "log_tree")
    settings = settings_for(database, tmp_path_factory.mktemp("log-tree"))
    code = await prepare(settings, owner_url=database.owner_url)
    edge = create(settings)
    transport = httpx.ASGITransport(app=edge)  # type: ignore[arg-type]  # the same protocol, typed less openly
    async with lifespan(edge), httpx.AsyncClient(transport=transport, base_url=BASE) as http:
        await until_open(edge)
        served = Served(edge, http, database, code or "")
        await served.project()
        yield served
        await served.close()
    await admin.execute("DROP DATABASE log_tree WITH (FORCE)")
    await admin.close()


@pytest.fixture(scope="module")
async def log(served: Served, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Log]:
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr(integrator, "PUBLISH_SECONDS", 0.0)
    settings = served.world.settings
    links = Links(served.database.app_url)
    signer = await open_signer(links, Wrapping([master_key.load(settings)]), settings.issuer)
    worker = Integrator(served.database.app_url, signer, FolderPlace(tmp_path_factory.mktemp("second-place")))
    log = Log(served, Over(served.http, await served.machine("minos.audit.read")), worker)
    await log.grow(600)
    yield log
    monkeypatch.undo()
    await worker.close()
    await links.close()


async def test_a_program_that_is_not_ours_verifies_the_whole_log(log: Log) -> None:
    key = Vkey.from_string((await log.newest())["key"])
    first = await asyncio.to_thread(TilesReader(log.over).get_checkpoint)
    first.verify(key)
    await log.grow(300)

    def walk() -> int:
        reader = TilesReader(log.over)
        checkpoint = reader.get_checkpoint()
        checkpoint.verify(key)
        assert reader.calculate_root_hash() == checkpoint.root_hash
        reader.get_consistency_proof(first.size, checkpoint.size).check(first.root_hash, checkpoint.root_hash)
        for index in [0, 255, 256, 511, first.size - 1, first.size, checkpoint.size - 1]:
            proof = reader.get_inclusion_proof(index, checkpoint.size)
            entry = reader.get_entry(index)
            proof.check(leaf_hash(entry), checkpoint.root_hash)
            with pytest.raises(InclusionProofInvalid):
                proof.check(leaf_hash(entry.replace(b'"v":1', b'"v":2')), checkpoint.root_hash)
            assert msgspec.json.decode(entry)["v"] == 1
        return checkpoint.size

    size = await asyncio.to_thread(walk)
    assert size == first.size + 300


async def test_with_a_policy_only_what_its_quorum_cosigned_is_served(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """And a program that is not ours finds the witness's signature good."""
    await log.grow(1)
    signed = await log.newest()
    witness = WitnessKey.new("witness.example.org")
    links = Links(log.served.database.app_url)

    def ask_for(key: WitnessKey) -> None:
        policy = read_policy(f"witness w {key.public.line()} https://witness.example.org\nquorum w\n".encode())
        monkeypatch.setattr(log.served.world.quorum, "_policy", policy)
        monkeypatch.setattr(log.served.world.quorum, "_good", "")

    ask_for(witness)
    answer = await log.over.ask("checkpoint")
    assert (answer.status_code, answer.json()["code"]) == (503, "not_witnessed")
    cosigned = with_signatures(read_note(signed["note"]), [witness.cosign(read_note(signed["note"]).text, at=1_800_000_000)])
    await links.read("SELECT store_cosigned(1, $1, $2)", signed["size"], cosigned)
    await log.grow(2)
    assert (await log.over.ask("checkpoint")).text == cosigned, "the newest that was cosigned"
    assert (await log.newest())["size"] == signed["size"] + 2
    read = await asyncio.to_thread(TilesReader(log.over).get_checkpoint)
    for key in (signed["key"], witness.public.line()):
        read.verify(Vkey.from_string(key))
    ask_for(WitnessKey.new("other.example.org"))
    assert (await log.over.ask("checkpoint")).status_code == 503, "what was enough for an earlier policy is not enough for this one"
    await links.close()


async def test_a_proof_of_ours_convinces_a_program_that_is_not(log: Log) -> None:
    old = await asyncio.to_thread(TilesReader(log.over).get_checkpoint)
    await log.grow(3)
    new = await log.newest()
    answer = await log.served.http.get("/api/v1/audit/proofs/consistency", params={"first": old.size, "second": new["size"]})
    assert answer.status_code == 200, answer.text
    proof = ConsistencyProof(old.size, new["size"], [base64.b64decode(each) for each in answer.json()["hashes"]])
    proof.check(old.root_hash, base64.b64decode(new["root"]))


async def test_the_newest_checkpoint_says_what_it_is(log: Log) -> None:
    newest, served = await log.newest(), await log.over.ask("checkpoint")
    assert served.text == newest["note"]
    assert served.headers["content-type"] == "text/plain; charset=utf-8"
    assert served.headers["cache-control"] == "public, max-age=1"
    assert newest["note"].startswith(f"127.0.0.1:8000/log\n{newest['size']}\n{newest['root']}\n\n")
    assert (newest["epoch"], newest["url"], newest["origin"]) == (1, "http://127.0.0.1:8000/log", "127.0.0.1:8000/log")


@pytest.mark.parametrize("path", ["tile/0/000", "tile/1/000.p/1", "tile/0/001.p/7"])
async def test_tiles_may_be_kept_for_good(log: Log, path: str) -> None:
    answer = await log.over.ask(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert len(answer.content) == 32 * int(path.partition(".p/")[2] or 256)


async def test_entries_are_private_and_whole(log: Log) -> None:
    answer = await log.over.ask("tile/entries/001")
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    hashes = (await log.over.ask("tile/0/001")).content
    assert b"".join(leaf_hash(entry) for entry in unpack_entries(answer.content)) == hashes
    seven = await log.over.ask("tile/entries/001.p/7")
    assert list(unpack_entries(seven.content)) == list(unpack_entries(answer.content))[:7]


@pytest.mark.parametrize(
    "path",
    ["tile/0/999", "tile/0/x001/000", "tile/1/000", "tile/1/000.p/200", "tile/9/000", "tile/0/0", "tile/0/x000/000", "tile/0/000.p/256",
     "tile/0/000.p/0", "tile/0/999.p/1", "tile/entries/999", "tile/entries/nonsense"],
)  # fmt: skip
async def test_what_no_checkpoint_covers_is_not_there(log: Log, path: str) -> None:
    answer = await log.over.ask(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "tile_not_found")


async def test_events_that_are_under_no_checkpoint_are_not_shown(log: Log) -> None:
    size = (await log.newest())["size"]
    await write_dated(log.served.database.owner_url, log.served.database.app_url, [moment(0)])
    answer = await log.over.ask(f"tile/0/{size // 256:03d}.p/{size % 256 + 1}")
    assert answer.status_code == 404
    beyond = await log.served.http.get("/api/v1/audit/proofs/consistency", params={"first": 1, "second": size + 1})
    assert (beyond.status_code, beyond.json()["code"]) == (409, "tree_too_small")
    await settle(log.worker)
    assert (await log.over.ask(f"tile/0/{size // 256:03d}.p/{size % 256 + 1}")).status_code == 200


async def test_no_tree_is_the_beginning_of_a_smaller_one(log: Log) -> None:
    answer = await log.served.http.get("/api/v1/audit/proofs/consistency", params={"first": 5, "second": 4})
    assert answer.status_code == 422


async def test_nobody_without_the_permission_reads_entries(log: Log) -> None:
    for token, status in (("", 401), (await log.served.machine("minos.users.read"), 403)):
        answer = await replace(log.over, token=token).ask("tile/entries/000")
        assert answer.status_code == status


async def test_what_was_pruned_or_moved_away_is_an_empty_entry(log: Log) -> None:
    owner = await asyncpg.connect(log.served.database.superuser_url)
    await owner.execute("SET session_replication_role = replica; ALTER TABLE events_p000000 DROP CONSTRAINT says_something")
    try:
        async with owner.transaction():
            await owner.execute(
                "UPDATE events SET payload = '' WHERE append_id = (SELECT append_start + 2 FROM log_runs ORDER BY 1 LIMIT 1)"
            )
        answer = list(unpack_entries((await log.over.ask("tile/entries/000.p/4")).content))
        assert [bool(entry) for entry in answer] == [True, True, False, True]
    finally:
        await owner.close()


async def test_entries_of_a_partition_that_was_moved_away_are_empty_and_others_are_missed(log: Log) -> None:
    owner = await asyncpg.connect(log.served.database.superuser_url)
    await owner.execute("SET session_replication_role = replica")
    here = (await log.over.ask("tile/entries/001")).content
    try:
        await owner.execute("CREATE TABLE kept AS SELECT * FROM events WHERE append_id < (SELECT min(append_id) + 260 FROM events)")
        await owner.execute("DELETE FROM events WHERE append_id IN (SELECT append_id FROM kept)")
        assert (await log.over.ask("tile/entries/001")).status_code == 500, "nobody moved them away"
        await owner.execute(
            "INSERT INTO log_partitions (number, first_position, last_position, events, latest, detached_at) "
            "VALUES (0, 1, 260, 260, now(), now())"
        )
        there = list(unpack_entries((await log.over.ask("tile/entries/001")).content))
        assert there == [b""] * 4 + list(unpack_entries(here))[4:]
    finally:
        await owner.execute("DELETE FROM log_partitions; INSERT INTO events OVERRIDING SYSTEM VALUE SELECT * FROM kept; DROP TABLE kept")
        await owner.close()


async def test_a_closed_log_shows_its_hashes_to_nobody(log: Log) -> None:
    app: Any = log.served.edge.app
    world = app.state.world
    app.state.world = replace(world, settings=structs.replace(world.settings, log_public=False))
    try:
        for path in ("/log/checkpoint", "/log/tile/0/000", "/api/v1/audit/checkpoint", "/api/v1/audit/proofs/consistency?first=1&second=2"):
            answer = await log.served.http.get(path)
            assert (answer.status_code, answer.json()["code"]) == (404, "log_not_public"), path
        assert (await log.over.ask("tile/entries/000")).status_code == 200
    finally:
        app.state.world = world


async def test_a_later_epoch_is_a_log_of_its_own(log: Log) -> None:
    """The last of this file: the log is of another epoch afterwards."""
    before = await log.newest()
    await open_epoch(log.served.database.owner_url, log.worker._place, EpochReason.OTHER)
    with pytest.raises(LogChanged):
        await log.worker.step()
    await settle(log.worker)
    newest = await log.newest()
    assert (newest["epoch"], newest["url"], newest["origin"]) == (2, "http://127.0.0.1:8000/log/2", "127.0.0.1:8000/log/2")
    second = Over(log.served.http, log.over.token, "/log/2")
    reader = TilesReader(second)

    def walk() -> None:
        checkpoint = reader.get_checkpoint()
        checkpoint.verify(Vkey.from_string(newest["key"]))
        assert reader.calculate_root_hash() == checkpoint.root_hash
        reader.get_consistency_proof(before["size"], checkpoint.size).check(base64.b64decode(before["root"]), checkpoint.root_hash)

    await asyncio.to_thread(walk)
    assert (await log.over.ask("checkpoint")).text == before["note"]
    assert (await second.ask("tile/entries/000")).status_code == 200
    for path in ("/log/3/checkpoint", "/log/3/tile/0/000"):
        assert (await log.served.http.get(path)).status_code == 404
