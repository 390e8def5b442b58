"""Signs requests to object storage as S3 and those compatible with it ask for (AWS Signature Version 4)."""

import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import quote

from msgspec import Struct

from adapters.secret import Secret

_ALGORITHM = "AWS4-HMAC-SHA256"
_SERVICE = "s3"


class Account(Struct, frozen=True, kw_only=True):
    """Who asks: the name of an access key, its secret, and the region of the bucket."""

    key_id: str
    secret: Secret
    region: str


def query_of(parameters: Mapping[str, str]) -> str:
    """Write a query as it is signed: sorted, and encoded in the one way there is."""
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in sorted(parameters.items()))


def signed_headers(
    account: Account, method: str, host: str, path: str, *, query: str = "", body: bytes = b"", more: Mapping[str, str], at: datetime
) -> dict[str, str]:
    """Give all header fields of a request, signed. `path` is encoded already; `more` are fields in lower case."""
    stamp = at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    digest = sha256(body).hexdigest()
    headers = {"host": host, "x-amz-content-sha256": digest, "x-amz-date": stamp, **more}
    names = ";".join(sorted(headers))
    fields = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    request = f"{method}\n{path}\n{query}\n{fields}\n{names}\n{digest}"
    scope = f"{stamp[:8]}/{account.region}/{_SERVICE}/aws4_request"
    text = f"{_ALGORITHM}\n{stamp}\n{scope}\n{sha256(request.encode()).hexdigest()}"
    signature = hmac.new(_key(account, stamp[:8]), text.encode(), sha256).hexdigest()
    headers["authorization"] = f"{_ALGORITHM} Credential={account.key_id}/{scope},SignedHeaders={names},Signature={signature}"
    return headers


def _key(account: Account, day: str) -> bytes:
    key = f"AWS4{account.secret.reveal()}".encode()
    for part in (day, account.region, _SERVICE, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
