"""The key of a KMS, over HTTP, against a small server that does what the transit engine's API says."""

import asyncio
import http.client
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from adapters import transit
from adapters.ports import open_ports
from adapters.postgres_links import Links
from adapters.secret import Secret
from adapters.settings import Settings
from adapters.transit import KmsAway, KmsRefused, Transit
from adapters.transit_root import TransitRoot
from adapters.wrapping import Wrapping
from domain.event import SealClass
from domain.ids import StreamName
from domain.signing_key import Algorithm
from tests.conftest import Database
from tests.keys.transit_server import TOKEN, Engine, serving
from tests.mail.server import make_certificate
from tests.trickling import BEGINNINGS, trickling

KEY = b"\x07" * 32


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def address(engine: Engine) -> Iterator[str]:
    with serving(engine) as at:
        yield at


def client(address: str, *, token: str = TOKEN, name: str = "minos", namespace: str = "", ca_file: Path | None = None) -> Transit:
    return Transit(f"{address}/v1/transit/keys/{name}", lambda: Secret(token), namespace=namespace, ca_file=ca_file, pause=0.001)


async def test_what_the_kms_encrypted_it_decrypts(address: str) -> None:
    kms = client(address)
    sealed = await kms.encrypt(KEY)
    assert sealed.startswith("vault:v1:")
    assert await kms.decrypt(sealed) == KEY


async def test_a_rewrap_takes_the_newest_version_and_is_none_where_it_is_that_already(address: str, engine: Engine) -> None:
    kms = client(address)
    first = await kms.encrypt(KEY)
    assert await kms.rewrap(first) == first
    engine.rotate("minos")
    second = await kms.rewrap(first)
    assert second.startswith("vault:v2:")
    assert await kms.decrypt(second) == KEY


async def test_a_namespace_goes_along(address: str, engine: Engine) -> None:
    engine.namespace = "teams/id"
    assert await client(address, namespace="teams/id").encrypt(KEY)
    with pytest.raises(KmsRefused):
        await client(address).encrypt(KEY)


@pytest.mark.parametrize("status", [429, 473, 500, 503])
async def test_what_passes_is_tried_again(address: str, engine: Engine, status: int) -> None:
    engine.fails = [status] * (transit.ATTEMPTS - 1)
    assert await client(address).encrypt(KEY)


async def test_what_does_not_pass_is_said(address: str, engine: Engine) -> None:
    engine.fails = [503] * transit.ATTEMPTS
    with pytest.raises(KmsAway, match="did not answer in 3 tries"):
        await client(address).encrypt(KEY)


async def test_a_kms_that_is_not_there_is_said_with_its_place() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(KmsAway, match=f"127.0.0.1:{port}/v1/transit/keys/minos"):
        await client(f"http://127.0.0.1:{port}").encrypt(KEY)


async def test_a_refusal_is_not_tried_again_and_tells_neither_token_nor_key(address: str, engine: Engine) -> None:
    with pytest.raises(KmsRefused) as refused:
        await client(address, token="hvs.wrong").encrypt(KEY)
    assert len(engine.asked) == 1
    assert "hvs.wrong" not in str(refused.value) + repr(client(address, token="hvs.wrong"))


async def test_what_answers_and_is_no_kms_is_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Engine, "answer", lambda *_: (200, {"hello": "world"}))
    with pytest.raises(KmsRefused, match="no transit engine"):
        await client(address).decrypt("vault:v1:x")


@pytest.mark.parametrize("begins", BEGINNINGS)
async def test_a_server_that_never_ends_its_answer_is_left(monkeypatch: pytest.MonkeyPatch, begins: bytes) -> None:
    """No thread waits for the rest."""
    monkeypatch.setattr(transit, "WHOLE_S", 0.2)
    with trickling(begins) as slow:
        with pytest.raises(KmsAway):
            await client(f"http://127.0.0.1:{slow.port}").decrypt("vault:v1:x")
        assert await asyncio.to_thread(slow.was_hung_up_on)


async def test_only_a_certificate_that_is_trusted_is_talked_to(engine: Engine, tmp_path: Path) -> None:
    made = make_certificate(tmp_path)
    with serving(engine, certificate=made.context()) as address:
        assert await client(address, ca_file=made.chain).encrypt(KEY)
        with pytest.raises(KmsAway):
            await client(address).encrypt(KEY)
    assert len(engine.asked) == 1


async def test_the_token_is_read_anew_where_an_agent_keeps_it(address: str, engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(TOKEN + "\n")
    kms = Transit.of(Settings(transit_url=f"{address}/v1/transit/keys/minos", transit_token_path=path))
    await kms.encrypt(KEY)
    engine.token = "hvs.renewed"
    path.write_text("hvs.renewed")
    await kms.encrypt(KEY)
    path.unlink()
    with pytest.raises(KmsRefused, match="MINOS_TRANSIT_TOKEN_PATH"):
        await kms.encrypt(KEY)


async def test_two_processes_that_start_at_once_end_with_one_root_key(links: Links, address: str) -> None:
    found = await asyncio.gather(*(TransitRoot(links, client(address)).keys() for _ in range(8)))
    assert len({key.kek_id for keys in found for key in keys}) == 1
    assert found[0][0].kek_id.startswith("rk-")


async def test_the_database_holds_the_root_key_as_the_kms_wrapped_it(links: Links, address: str) -> None:
    [key] = await TransitRoot(links, client(address)).keys()
    [(wrapped,)] = await links.read("SELECT wrapped FROM vault.root_keys")
    assert wrapped.startswith("vault:v1:")
    assert key.key not in wrapped.encode()
    assert await client(address).decrypt(wrapped) == key.key


async def test_a_row_with_another_key_than_it_says_is_refused(links: Links, address: str) -> None:
    await links.run("INSERT INTO vault.root_keys VALUES (1, 'rk-0000', $1, 'x')", await client(address).encrypt(KEY))
    with pytest.raises(KmsRefused, match="another key than rk-0000"):
        await TransitRoot(links, client(address)).keys()


def settings_for(database: Database, folder: Path, address: str) -> Settings:
    return Settings(
        data_dir=folder,
        issuer="https://id.example.org",
        database_url=Secret(database.app_url),
        root_key="transit",
        transit_url=f"{address}/v1/transit/keys/minos",
        transit_token=Secret(TOKEN),
        argon2_memory_kib=7_168,
        argon2_passes=1,
    )


async def test_serving_asks_the_kms_at_its_start_only(database: Database, tmp_path: Path, address: str, engine: Engine) -> None:
    """Without a master key; and once it serves, the KMS may be away."""
    settings, ada = settings_for(database, tmp_path, address), StreamName("user-ada")
    async with open_ports(settings) as opened:
        began = len(engine.asked)
        engine.token = "away"
        vault = opened.ports.vault
        sealed = await vault.seal(subject=ada, seal_class=SealClass.PROFILE, stream=ada, fields={"email": "ada@example.org"})
        await opened.keyring.generate(Algorithm.ES256)
        assert await vault.open(sealed["email"], stream=ada, field="email") == "ada@example.org"
        assert len(engine.asked) == began == 2
    with pytest.raises(KmsRefused):
        async with open_ports(settings):
            pass


async def test_the_answer_of_an_hour_ago_is_not_asked_for_again(links: Links, address: str, engine: Engine) -> None:
    root = Wrapping(await TransitRoot(links, client(address)).keys())
    asked = len(engine.asked)
    for number in range(100):
        assert root.unwrap(str(number), root.wrap(str(number), KEY)) == KEY
    assert len(engine.asked) == asked


def test_the_server_of_the_tests_is_no_oracle_of_its_own(address: str, engine: Engine) -> None:
    engine.rotate("minos")
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=5)
    connection.request("POST", "/v1/transit/decrypt/minos", b'{"ciphertext": "vault:v1:AAAA"}', {"X-Vault-Token": TOKEN})
    assert connection.getresponse().status == 400
    connection.close()
