"""What every second place keeps to."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.second_place import BadName, BucketPlace, FolderPlace, PlaceChanged, SecondPlace
from adapters.second_place.bucket import read_account, read_bucket
from adapters.secret import Secret
from tests.second_place.storage import storage


@pytest.fixture
async def folder_place(tmp_path: Path) -> AsyncIterator[FolderPlace]:
    place = FolderPlace(tmp_path / "not" / "yet there")
    yield place
    await place.close()


@pytest.fixture
async def bucket_place() -> AsyncIterator[BucketPlace]:
    with storage() as server:
        bucket = read_bucket(f"s3://bucket/some/prefix?endpoint={server.url}")
        yield BucketPlace(bucket, read_account(Secret("id:secret"), bucket.region))


@pytest.fixture(params=["folder_place", "bucket_place"])
def place(request: pytest.FixtureRequest) -> SecondPlace:
    """Every implementation of the port, one after the other."""
    chosen: SecondPlace = request.getfixturevalue(request.param)
    return chosen


async def test_nothing_is_there_at_first(place: SecondPlace) -> None:
    assert await place.get("checkpoint/1") is None
    assert await place.names("") == []


async def test_what_was_put_is_there_with_its_version(place: SecondPlace) -> None:
    version = await place.put("checkpoint/1", b"one\n\x00", expect=None)
    kept = await place.get("checkpoint/1")
    assert kept is not None
    assert (kept.data, kept.version) == (b"one\n\x00", version)


async def test_what_is_there_is_not_made_a_second_time(place: SecondPlace) -> None:
    await place.put("erased/a", b"first", expect=None)
    with pytest.raises(PlaceChanged):
        await place.put("erased/a", b"second", expect=None)
    kept = await place.get("erased/a")
    assert kept is not None
    assert kept.data == b"first"


async def test_only_who_knows_what_is_there_replaces_it(place: SecondPlace) -> None:
    first = await place.put("checkpoint/1", b"one", expect=None)
    second = await place.put("checkpoint/1", b"two", expect=first)
    with pytest.raises(PlaceChanged):
        await place.put("checkpoint/1", b"three", expect=first)
    await place.put("checkpoint/1", b"three", expect=second)


async def test_what_is_not_there_is_not_replaced(place: SecondPlace) -> None:
    version = await place.put("checkpoint/1", b"one", expect=None)
    with pytest.raises(PlaceChanged):
        await place.put("checkpoint/2", b"two", expect=version)


async def test_of_many_who_replace_at_once_one_succeeds(place: SecondPlace) -> None:
    first = await place.put("checkpoint/1", b"", expect=None)
    outcomes = await asyncio.gather(*(place.put("checkpoint/1", f"{n}".encode(), expect=first) for n in range(8)), return_exceptions=True)
    assert sum(isinstance(outcome, str) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, PlaceChanged) for outcome in outcomes) == 7


async def test_names_are_listed_by_what_they_begin_with(place: SecondPlace) -> None:
    for name in ("erased/b", "erased/a", "checkpoint/1", "erased-not/c"):
        await place.put(name, b"", expect=None)
    assert list(await place.names("erased/")) == ["erased/a", "erased/b"]
    assert list(await place.names("")) == ["checkpoint/1", "erased-not/c", "erased/a", "erased/b"]
    assert list(await place.names("nothing/")) == []


@pytest.mark.parametrize("name", ["", "/a", "a/", "a//b", "../a", "a/../b", "a/.hidden", ".lock", "A", "a b", "a\n", "é", "a" * 201])
async def test_no_name_leads_out_of_the_place(place: SecondPlace, name: str) -> None:
    with pytest.raises(BadName):
        await place.put(name, b"", expect=None)
    with pytest.raises(BadName):
        await place.get(name)


@pytest.mark.parametrize("prefix", ["a", "../", "/", "a/../", "a//"])
async def test_no_prefix_leads_out_of_the_place(place: SecondPlace, prefix: str) -> None:
    with pytest.raises(BadName):
        await place.names(prefix)
