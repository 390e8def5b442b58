"""A bucket as second place: S3, or what is compatible with it, with conditional writes (`If-Match`, `If-None-Match`).

`s3://<bucket>/<prefix>?endpoint=<https URL>&region=<region>`; without an endpoint it is AWS'. With the bucket's own versioning, not even
whoever holds our key can make undone what was put there.
"""

import asyncio
import http.client
import re
import ssl
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import SplitResult, parse_qs, quote, urlsplit

from msgspec import Struct

from adapters.second_place.place import Kept, PlaceAway, PlaceChanged, check_name, check_prefix
from adapters.second_place.signature import Account, query_of, signed_headers
from adapters.secret import Secret

SCHEME = "s3"
TIMEOUT_S = 10.0
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


class _Answer(Struct, frozen=True):
    status: int
    body: bytes
    etag: str


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

    async def _put(self, name: str, data: bytes, expect: str | None) -> _Answer:
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

    def _expect_ok(self, answer: _Answer) -> None:
        if answer.status != HTTPStatus.OK:
            raise PlaceAway(f"{self._where} answered {answer.status}")

    def _version(self, answer: _Answer) -> str:
        """Without one, what is put there next would be under no condition."""
        if not _ETAG.fullmatch(answer.etag):
            raise PlaceAway(f"{self._where} gives no ETag")
        return answer.etag

    async def _ask(
        self, method: str, name: str | None, *, query: Mapping[str, str] = _NOTHING, body: bytes = b"", more: Mapping[str, str] = _NOTHING
    ) -> _Answer:
        path = f"/{self._bucket.name}/" + ("" if name is None else quote(self._bucket.prefix + name))
        try:
            return await asyncio.to_thread(self._send, method, path, query_of(query), body, more)
        except (OSError, http.client.HTTPException) as error:
            raise PlaceAway(f"{self._where} cannot be reached ({type(error).__name__})") from error

    def _send(self, method: str, path: str, query: str, body: bytes, more: Mapping[str, str]) -> _Answer:
        host = self._bucket.endpoint.netloc
        headers = signed_headers(self._account, method, host, path, query=query, body=body, more=more, at=datetime.now(UTC))
        connection = self._connection()
        try:
            connection.request(method, f"{path}?{query}" if query else path, body or None, headers)
            answer = connection.getresponse()
            return _Answer(answer.status, _whole(answer), answer.getheader("ETag") or "")
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        endpoint = self._bucket.endpoint
        if endpoint.scheme == "http":
            return http.client.HTTPConnection(endpoint.hostname or "", endpoint.port, timeout=TIMEOUT_S)
        return http.client.HTTPSConnection(endpoint.hostname or "", endpoint.port, timeout=TIMEOUT_S, context=ssl.create_default_context())


def _whole(answer: http.client.HTTPResponse) -> bytes:
    """A server that sends a byte now and then would hold a thread for as long as it likes."""
    until, body = time.monotonic() + TIMEOUT_S, b""
    while part := answer.read1(_LARGEST_ANSWER):
        body += part
        if len(body) > _LARGEST_ANSWER or time.monotonic() > until:
            raise http.client.HTTPException
    return body
