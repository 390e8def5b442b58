"""A bucket as second place: S3, or what is compatible with it, with conditional writes (`If-Match`, `If-None-Match`).

`s3://<bucket>/<prefix>?endpoint=<https URL>&region=<region>`; without an endpoint it is AWS'. With the bucket's own versioning, not even
whoever holds our key can make undone what was put there.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from http import HTTPStatus
from urllib.parse import SplitResult, parse_qs, quote, urlsplit

from msgspec import Struct

from adapters.http_question import HttpAnswer, HttpServer, NoAnswer
from adapters.second_place.place import Kept, PlaceAway, PlaceChanged, check_name, check_prefix
from adapters.second_place.signature import Account, query_of, signed_headers
from adapters.secret import Secret

SCHEME = "s3"
TIMEOUT_S = 8.0
"""For connecting, and for each piece of an answer; and for the whole. An opening of the API waits for 10, and is to hear why in vain."""
_LARGEST_ANSWER = 4 * 1024 * 1024
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ETAG = re.compile(r"[!-~]{1,512}")
_KEY = re.compile(r"<Key>([^<]*)</Key>")
_CHANGED = {HTTPStatus.PRECONDITION_FAILED, HTTPStatus.CONFLICT}
_NOTHING: Mapping[str, str] = {}


class BadBucket(ValueError):
    """What the setting says is no bucket. The message is for the operator."""


class Bucket(Struct, frozen=True, kw_only=True):
    name: str
    prefix: str
    """Empty, or with a final slash."""
    endpoint: SplitResult
    region: str


def read_bucket(url: str) -> Bucket:
    """Raises BadBucket."""
    parts = urlsplit(url)
    asked = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    region = asked.get("region", "us-east-1")
    endpoint = urlsplit(asked.get("endpoint", f"https://s3.{region}.amazonaws.com"))
    prefix = parts.path.strip("/")
    is_named = parts.scheme == SCHEME and _NAME.fullmatch(parts.netloc)
    if not is_named or asked.keys() - {"region", "endpoint"}:
        raise BadBucket("expected s3://<bucket>/<prefix>?endpoint=<URL>&region=<region>")
    if endpoint.scheme not in {"http", "https"} or not endpoint.hostname or endpoint.path.strip("/") or endpoint.query:
        raise BadBucket("the endpoint is an http(s) URL without path and query")
    return Bucket(name=parts.netloc, prefix=f"{prefix}/" if prefix else "", endpoint=endpoint, region=region)


def read_account(secret: Secret | None, region: str) -> Account:
    """Read `<key id>:<secret>`. Raises BadBucket."""
    key_id, _, value = ("" if secret is None else secret.reveal()).partition(":")
    if not key_id or not value:
        raise BadBucket("an access key is <key id>:<secret>")
    return Account(key_id=key_id, secret=Secret(value), region=region)


class BucketPlace:
    """Versions are ETags. Each question is a request of its own; none is sent twice, since whoever asks does so again."""

    def __init__(self, bucket: Bucket, account: Account) -> None:
        self._bucket, self._account = bucket, account
        self._heeds_conditions = False

    def __repr__(self) -> str:
        return f"BucketPlace({self._bucket.name!r}, {self._bucket.prefix!r})"

    async def get(self, name: str) -> Kept | None:
        answer = await self._ask("GET", check_name(name))
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        self._expect_ok(answer)
        return Kept(data=answer.body, version=self._version(answer))

    async def put(self, name: str, data: bytes, *, expect: str | None) -> str:
        answer = await self._put(name, data, expect)
        if answer.status in _CHANGED or (answer.status == HTTPStatus.NOT_FOUND and expect is not None):
            raise PlaceChanged(f"{name} is not what was expected there")
        self._expect_ok(answer)
        version = self._version(answer)
        if not self._heeds_conditions and version != expect:
            await self._try_again(name, data, expect)
        return version

    async def names(self, prefix: str) -> Sequence[str]:
        begin = self._bucket.prefix + check_prefix(prefix)
        found: list[str] = []
        while True:
            query = {"list-type": "2", "prefix": begin, "start-after": found[-1] if found else begin}
            answer = await self._ask("GET", None, query=query)
            self._expect_ok(answer)
            text = answer.body.decode(errors="replace")
            found += (keys := _KEY.findall(text))
            if keys and keys[0] <= query["start-after"]:
                raise PlaceAway(f"{self._where} gives the same names again and again")
            if not keys or "<IsTruncated>true</IsTruncated>" not in text:
                return sorted(key.removeprefix(self._bucket.prefix) for key in found)

    async def close(self) -> None:
        """Nothing is held open."""

    async def _put(self, name: str, data: bytes, expect: str | None) -> HttpAnswer:
        condition = {"if-none-match": "*"} if expect is None else {"if-match": expect}
        return await self._ask("PUT", check_name(name), body=data, more=condition)

    async def _try_again(self, name: str, data: bytes, expect: str | None) -> None:
        """Once: what was possible a moment ago must not be now. Where conditions are passed over, anybody could replace anything."""
        if (await self._put(name, data, expect)).status == HTTPStatus.OK:
            raise PlaceAway(f"{self._where} does not heed If-Match and If-None-Match")
        self._heeds_conditions = True

    @property
    def _where(self) -> str:
        return f"the bucket {self._bucket.name} at {self._bucket.endpoint.netloc}"

    def _expect_ok(self, answer: HttpAnswer) -> None:
        if answer.status != HTTPStatus.OK:
            raise PlaceAway(f"{self._where} answered {answer.status}")

    def _version(self, answer: HttpAnswer) -> str:
        """Without one, what is put there next would be under no condition."""
        etag = answer.headers.get("ETag") or ""
        if not _ETAG.fullmatch(etag):
            raise PlaceAway(f"{self._where} gives no ETag")
        return etag

    async def _ask(
        self, method: str, name: str | None, *, query: Mapping[str, str] = _NOTHING, body: bytes = b"", more: Mapping[str, str] = _NOTHING
    ) -> HttpAnswer:
        path = f"/{self._bucket.name}/" + ("" if name is None else quote(self._bucket.prefix + name))
        asked = query_of(query)
        host, now = self._bucket.endpoint.netloc, datetime.now(UTC)
        headers = signed_headers(self._account, method, host, path, query=asked, body=body, more=more, at=now)
        try:
            return await self._server.ask(method, f"{path}?{asked}" if asked else path, body or None, headers)
        except NoAnswer as none:
            raise PlaceAway(f"{self._where} cannot be reached ({none})") from none

    @cached_property
    def _server(self) -> HttpServer:
        return HttpServer(self._bucket.endpoint, piece_s=TIMEOUT_S, whole_s=TIMEOUT_S, longest=_LARGEST_ANSWER)
