"""A KMS that is broken, or in somebody's hands, must not bring us to lose the one key that all others hang on."""

import base64
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from adapters.postgres_links import Links
from adapters.secret import Secret
from adapters.transit import KmsRefused, Transit
from adapters.transit_root import TransitRoot
from tests.conftest import Database
from tests.keys.transit_server import TOKEN, Engine, serving


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def kms(engine: Engine) -> Iterator[Transit]:
    with serving(engine) as at:
        yield Transit(f"{at}/v1/transit/keys/minos", lambda: Secret(TOKEN), pause=0.001)


@pytest.fixture
async def owner(database: Database) -> AsyncIterator[Links]:
    links = Links(database.owner_url, size=1)
    yield links
    await links.close()


async def test_attack_another_key_given_back_by_a_rewrap(
    owner: Links, kms: Transit, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = TransitRoot(owner, kms)
    before = await root.keys()
    engine.rotate("minos")
    honest = Engine._done

    def lie(self: Engine, what: str, name: str, body: dict[str, Any]) -> dict[str, Any]:
        return self._sealed(name, b"\x00" * 32) if what == "rewrap" else honest(self, what, name, body)

    monkeypatch.setattr(Engine, "_done", lie)
    with pytest.raises(KmsRefused, match="another key"):
        await root.rewrap()
    assert await root.keys() == before
    monkeypatch.setattr(Engine, "_done", honest)
    assert await root.rewrap() == 1
    assert await root.keys() == before


@pytest.mark.parametrize("plaintext", ["no base64", base64.b64encode(b"short").decode(), "", "é"])
async def test_attack_an_answer_that_is_no_key(owner: Links, kms: Transit, monkeypatch: pytest.MonkeyPatch, plaintext: str) -> None:
    root = TransitRoot(owner, kms)
    await root.keys()
    monkeypatch.setattr(Engine, "answer", lambda *_: (200, {"data": {"plaintext": plaintext}}))
    with pytest.raises(KmsRefused):
        await root.keys()
