"""What an access token says (RFC 9068), with each claim there and of its kind."""

from dataclasses import dataclass, field
from typing import Literal, cast

from minos_sdk.jws import Malformed, Object

_MOST = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """Times are seconds since 1970."""

    principal: Literal["user", "service"]
    sub: str
    aud: str
    exp: int
    nbf: int
    iat: int
    jti: str
    client_id: str
    sid: str | None
    auth_time: int | None
    acr: str | None
    amr: tuple[str, ...]
    scope: frozenset[str]
    roles: frozenset[str]
    epoch: int
    roles_version: int
    kid: str = field(repr=False)


def read_claims(payload: Object, *, kid: str) -> Claims:
    """Raises Malformed for a claim that is missing, of another kind, or does not go with the others.

    A token that only its holder may use (`cnf`, RFC 7800) is refused: here nothing is asked of who sends it.
    """
    if "cnf" in payload:
        raise Malformed("sender_constrained")
    principal = text(payload, "principal")
    person = principal == "user"
    if not person and principal != "service":
        raise Malformed("claims")
    if not person and any(name in payload for name in ("sid", "auth_time", "acr", "amr")):
        raise Malformed("claims")
    return Claims(
        principal="user" if person else "service",
        sub=text(payload, "sub"),
        aud=text(payload, "aud"),
        exp=number(payload, "exp"),
        nbf=number(payload, "nbf"),
        iat=number(payload, "iat"),
        jti=text(payload, "jti"),
        client_id=text(payload, "client_id"),
        sid=text(payload, "sid") if person else None,
        auth_time=number(payload, "auth_time") if person else None,
        acr=text(payload, "acr") if person else None,
        amr=_some(texts(payload, "amr")) if person else (),
        scope=frozenset(text(payload, "scope", empty=True).split()),
        roles=frozenset(texts(payload, "roles")),
        epoch=number(payload, "epoch"),
        roles_version=number(payload, "roles_version"),
        kid=kid,
    )


def text(payload: Object, name: str, *, empty: bool = False) -> str:
    value = payload.get(name)
    if not isinstance(value, str) or not (value or empty):
        raise Malformed("claims")
    return value


def number(payload: Object, name: str) -> int:
    """A whole number from 0 to 2^63: `true` and `1.0` are none."""
    value = payload.get(name)
    if type(value) is not int or not 0 <= value < 2**63:
        raise Malformed("claims")
    return value


def texts(payload: Object, name: str) -> tuple[str, ...]:
    value = payload.get(name)
    if not isinstance(value, list):
        raise Malformed("claims")
    members = cast("list[object]", value)
    if len(members) > _MOST or not all(isinstance(each, str) and each for each in members):
        raise Malformed("claims")
    return tuple(cast("list[str]", members))


def _some(values: tuple[str, ...]) -> tuple[str, ...]:
    if not values:
        raise Malformed("claims")
    return values
