"""Whoever runs the object storage must not be able to have a checkpoint replaced under no condition, or to keep us busy for good."""

import asyncio
from collections.abc import Iterator

import pytest

from adapters.second_place import BucketPlace, PlaceAway, bucket
from adapters.second_place.bucket import read_account, read_bucket
from adapters.secret import Secret
from tests.second_place import storage as storing
from tests.second_place.storage import Storage, storage
from tests.trickling import BEGINNINGS, trickling


@pytest.fixture
def server() -> Iterator[Storage]:
    with storage() as running:
        yield running


def place_of(server: Storage) -> BucketPlace:
    bucket = read_bucket(f"s3://bucket/minos?endpoint={server.url}")
    return BucketPlace(bucket, read_account(Secret("id:secret"), bucket.region))


@pytest.mark.parametrize("etag", [None, "", " ", "\xff", "a b"])
async def test_attack_no_version_to_hand_back(server: Storage, monkeypatch: pytest.MonkeyPatch, etag: str | None) -> None:
    place = place_of(server)
    await place.put("a", b"one", expect=None)
    monkeypatch.setattr(storing, "_etag", lambda _: etag)
    with pytest.raises(PlaceAway, match="no ETag"):
        await place.get("a")
    with pytest.raises(PlaceAway, match="no ETag"):
        await place.put("b", b"two", expect=None)


async def test_attack_a_list_that_never_ends(server: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    def again(handler: storing._Handler, _: object) -> None:
        handler._answer(200, b"<IsTruncated>true</IsTruncated><Key>minos/a</Key><Key>minos/b</Key>")

    monkeypatch.setattr(storing._Handler, "_list", again)
    async with asyncio.timeout(20):
        with pytest.raises(PlaceAway, match="again and again"):
            await place_of(server).names("")


@pytest.mark.parametrize("begins", BEGINNINGS)
async def test_attack_an_answer_that_never_ends(monkeypatch: pytest.MonkeyPatch, begins: bytes) -> None:
    """A byte now and then, each in time: it is hung up on, and no thread waits for the rest."""
    monkeypatch.setattr(bucket, "TIMEOUT_S", 0.3)
    with trickling(begins) as slow:
        of = read_bucket(f"s3://bucket/minos?endpoint=http://127.0.0.1:{slow.port}")
        with pytest.raises(PlaceAway, match="does not end"):
            await BucketPlace(of, read_account(Secret("id:secret"), of.region)).get("a")
        assert await asyncio.to_thread(slow.was_hung_up_on)
