"""What a request shows to say who it is from: a bearer token or an API key, and never two things at once."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from minos_sdk.errors import InvalidToken
from minos_sdk.refusals import AmbiguousCredentials

KEY_MARK = "mk_"
_TOKEN = re.compile(rb"[A-Za-z0-9._~+/-]+=*")
"""RFC 6750 2.1."""
_LONGEST = 8 * 1024
_HANDED_ON = b"minos-identity"


@dataclass(frozen=True, slots=True)
class Credential:
    kind: Literal["bearer", "api_key"]
    text: str = field(repr=False)


def shown_by(headers: Iterable[tuple[bytes, bytes]]) -> Credential | None:
    """Give the one credential among the header fields; None where there is none. Nothing else of a request is looked at.

    An API key may come in `Authorization: Bearer` as well as in `X-API-Key`, as at Minos itself. Raises AmbiguousCredentials for more
    than one, whatever they are worth, and InvalidToken for what cannot be one.
    """
    found = [(name, value) for name, value in headers if name in {b"authorization", b"x-api-key"}]
    if not found:
        return None
    if len(found) > 1:
        raise AmbiguousCredentials
    name, value = found[0]
    if name == b"authorization":
        scheme, _, value = value.partition(b" ")
        if scheme.lower() != b"bearer":
            raise InvalidToken
    if len(value) > _LONGEST or _TOKEN.fullmatch(value) is None:
        raise InvalidToken
    text = value.decode("ascii")
    if text.startswith(KEY_MARK):
        return Credential("api_key", text)
    if name == b"x-api-key":
        raise InvalidToken
    return Credential("bearer", text)


def handed_on(headers: Iterable[tuple[bytes, bytes]]) -> Credential | None:
    """Give what a gateway put into `Minos-Identity`. What the request showed to the gateway is nobody's business here.

    Raises AmbiguousCredentials where it is there twice: then one of them may be a client's.
    """
    found = [value for name, value in headers if name.replace(b"_", b"-") == _HANDED_ON]
    if not found:
        return None
    if len(found) > 1:
        raise AmbiguousCredentials
    if len(found[0]) > _LONGEST or _TOKEN.fullmatch(found[0]) is None:
        raise InvalidToken
    return Credential("bearer", found[0].decode("ascii"))
