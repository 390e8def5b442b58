"""Which client asks, as it says so: Basic, in the form, or by an assertion; one way, and no second one (RFC 6749 2.3)."""

import base64
import binascii
import re
from collections.abc import Awaitable, Mapping
from typing import TypeVar
from urllib.parse import unquote_plus

from adapters.limits.policy import Kind
from api.exchange import Exchange
from api.world import World
from commands.authenticate_client import Shown, ShownSecret
from domain.errors import AmbiguousCredentials, InvalidClient, Refused
from domain.ids import ClientId

R = TypeVar("R")
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
METHODS = ("client_secret_basic", "client_secret_post", "private_key_jwt")
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
LONGEST_SECRET = 256


def shown_by(headers: Mapping[bytes, bytes], fields: Mapping[str, str], world: World) -> Shown:
    """Raises InvalidClient for none or a malformed one, AmbiguousCredentials for more than one way."""
    basic = headers.get(b"authorization")
    ways = [basic is not None, "client_secret" in fields, "client_assertion" in fields or "client_assertion_type" in fields]
    if sum(ways) > 1 or b"x-api-key" in headers:
        raise AmbiguousCredentials
    shown = _assertion(fields, world) if ways[2] else _secret(basic, fields)
    if "client_id" in fields and fields["client_id"] != shown.client_id:
        raise InvalidClient
    return shown


async def as_client(shown: Shown, call: Awaitable[R], exchange: Exchange, world: World) -> R:
    """Count what a client that proved itself asks for, whatever comes of it. Who merely names one uses up nothing of theirs."""
    try:
        answer = await call
    except InvalidClient:
        raise
    except Refused:
        world.limiter.proved(exchange, Kind.ACCOUNT, shown.client_id)
        raise
    world.limiter.proved(exchange, Kind.ACCOUNT, shown.client_id)
    return answer


def _assertion(fields: Mapping[str, str], world: World) -> Shown:
    shown = world.ports.assertions.read(fields.get("client_assertion", ""))
    if shown is None or fields.get("client_assertion_type") != ASSERTION_TYPE or _ID.fullmatch(shown.client_id) is None:
        raise InvalidClient
    return shown


def _secret(basic: bytes | None, fields: Mapping[str, str]) -> Shown:
    name, secret = (fields.get("client_id", ""), fields.get("client_secret", "")) if basic is None else _basic(basic)
    if _ID.fullmatch(name) is None or not 0 < len(secret) <= LONGEST_SECRET:
        raise InvalidClient
    return ShownSecret(client_id=ClientId(name), secret=secret)


def _basic(value: bytes) -> tuple[str, str]:
    """Both parts are form-encoded inside (RFC 6749 2.3.1)."""
    scheme, _, encoded = value.partition(b" ")
    try:
        decoded = base64.b64decode(encoded, validate=True).decode("ascii") if scheme.lower() == b"basic" else ""
    except (binascii.Error, ValueError):
        raise InvalidClient from None
    name, _, secret = decoded.partition(":")
    return unquote_plus(name), unquote_plus(secret)
