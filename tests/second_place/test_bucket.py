"""What is particular to a bucket: how it is asked, and what is made of its answers."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters import settings_source
from adapters.second_place import BucketPlace, PlaceAway, PlaceChanged, open_second_place
from adapters.second_place.bucket import BadBucket, read_account, read_bucket
from adapters.second_place.signature import Account, query_of, signed_headers
from adapters.secret import Secret
from adapters.settings_source import BadSettings
from tests.second_place.storage import Storage, storage

EXAMPLE = Account(key_id="AKIAIOSFODNN7EXAMPLE", secret=Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"), region="us-east-1")
EXAMPLE_AT = datetime(2013, 5, 24, tzinfo=UTC)
KEY = Secret("AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")


@pytest.fixture
def server() -> Iterator[Storage]:
    with storage() as running:
        yield running


def place_of(server: Storage) -> BucketPlace:
    bucket = read_bucket(f"s3://bucket/minos?endpoint={server.url}&region=eu-central-1")
    return BucketPlace(bucket, read_account(KEY, bucket.region))


@pytest.mark.parametrize(
    ("path", "query", "more", "signature"),
    [
        ("/test.txt", "", {"range": "bytes=0-9"}, "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
        ("/", "lifecycle=", {}, "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        ("/", query_of({"prefix": "J", "max-keys": "2"}), {}, "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
    ],
    ids=["an object", "a bucket", "a list"],
)
def test_requests_are_signed_as_in_the_examples_of_aws(path: str, query: str, more: dict[str, str], signature: str) -> None:
    headers = signed_headers(EXAMPLE, "GET", "examplebucket.s3.amazonaws.com", path, query=query, more=more, at=EXAMPLE_AT)
    assert headers["authorization"].endswith(f"Signature={signature}")


async def test_the_secret_is_in_no_request_and_no_repr(server: Storage) -> None:
    place = place_of(server)
    await place.put("a", b"one", expect=None)
    assert "wJalrXUtnFEMI" not in repr(place) + "".join(server.authorizations)
    assert all("AKIAIOSFODNN7EXAMPLE/" in each and "/eu-central-1/s3/aws4_request" in each for each in server.authorizations)
    assert list(server.objects) == ["minos/a"]


async def test_a_storage_that_passes_conditions_over_is_no_second_place(server: Storage) -> None:
    """It would let a fork replace what was published."""
    server.heeds = False
    with pytest.raises(PlaceAway, match="does not heed"):
        await place_of(server).put("a", b"one", expect=None)


async def test_conditions_are_tried_once_and_not_each_time(server: Storage) -> None:
    place = place_of(server)
    version = await place.put("a", b"one", expect=None)
    asked = len(server.authorizations)
    await place.put("a", b"two", expect=version)
    assert len(server.authorizations) == asked + 1


async def test_long_lists_come_in_pages(server: Storage) -> None:
    place = place_of(server)
    names = [f"erased/{n:02d}" for n in range(10)]
    for name in names:
        await place.put(name, b"", expect=None)
    assert list(await place.names("erased/")) == names


@pytest.mark.parametrize("status", [403, 500, 503, 301])
async def test_what_is_no_answer_to_the_question_is_being_away(server: Storage, status: int) -> None:
    place = place_of(server)
    for ask in (place.get("a"), place.put("a", b"", expect=None), place.names("")):
        server.answers = [status]
        with pytest.raises(PlaceAway, match=str(status)):
            await ask


async def test_two_who_write_at_once_are_told_apart_by_the_storage(server: Storage) -> None:
    """S3 answers 409 where another conditional write is under way."""
    server.answers = [409]
    with pytest.raises(PlaceChanged):
        await place_of(server).put("a", b"", expect=None)


async def test_nobody_there_is_being_away() -> None:
    with storage() as gone:
        place = place_of(gone)
    with pytest.raises(PlaceAway, match="cannot be reached"):
        await place.get("a")


@pytest.mark.parametrize(
    "url",
    ["s3://", "s3:///prefix", "s3://UPPER/x", "gs://bucket", "s3://bucket?region=x&other=y", "s3://bucket?endpoint=ftp://a",
     "s3://bucket?endpoint=https://a/path"],
)  # fmt: skip
def test_what_is_no_bucket_is_refused(url: str) -> None:
    with pytest.raises(BadBucket):
        read_bucket(url)


def test_without_an_endpoint_it_is_that_of_aws() -> None:
    bucket = read_bucket("s3://audit-records/minos/live?region=eu-west-1")
    assert (bucket.endpoint.geturl(), bucket.prefix, bucket.name) == ("https://s3.eu-west-1.amazonaws.com", "minos/live/", "audit-records")


def test_the_settings_say_what_is_wrong_with_it(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match=r"MINOS_SECOND_PLACE: expected s3(.|\n)*MINOS_SECOND_PLACE_KEY"):
        settings_source.load({"MINOS_SECOND_PLACE": "gs://bucket"}, tmp_path)
    given = {"MINOS_SECOND_PLACE": "s3://bucket/x?region=eu-west-1", "MINOS_SECOND_PLACE_KEY": KEY.reveal()}
    assert isinstance(open_second_place(settings_source.load(given, tmp_path).settings), BucketPlace)
