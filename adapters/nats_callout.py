"""NATS' auth callout (ADR-26 of nats-architecture-and-design): a server asks who a connection is, and is answered with a user's JWT.

Requests are encrypted to our curve key and answers to the server's, so that tokens are seen by nobody who listens on the account.
"""

from typing import Any

import msgspec
from msgspec import Struct

from adapters.nats_jwt import NotSigned, signed, verified
from adapters.nats_keys import Kind, public_bytes, public_key
from adapters.nats_rights import DOWNSTREAM, Rights
from adapters.nats_xkey import CannotOpen, opened, sealed
from adapters.secret import Secret
from domain.ids import ClientId

SUBJECT = "$SYS.REQ.USER.AUTH"
SERVER_KEY = "Nats-Server-Xkey"
"""Header of a request: the curve key that it was encrypted with, and the answer is to be encrypted to."""

_AUDIENCE = "nats-authorization-request"
_TYPE = "authorization_request"
_NO_LIMIT = -1
_REFUSED = "not authorized"


class Unreadable(Exception):
    """This is no request that a NATS server made for us. Nobody can be answered."""


class ConnectionRequest(Struct, frozen=True, kw_only=True):
    """Who wants in. `user_nkey` is made up by the server for this one connection: an answer is good for no other."""

    server_id: str
    server_key: str
    user_nkey: str
    asked_at: int
    """By the server's clock, seconds since the epoch; as everything here it is held against the server's clock alone."""
    token: Secret | None
    """What was shown. None where that was nothing, something else, or more than one thing."""


class _Server(Struct, frozen=True):
    id: str
    xkey: str = ""


class _Shown(Struct, frozen=True):
    """Of CONNECT. Hides in `repr`."""

    auth_token: str = ""
    user: str = ""
    password: str = msgspec.field(name="pass", default="")
    jwt: str = ""
    nkey: str = ""

    def __repr__(self) -> str:
        return "_Shown(hidden)"


class _Nats(Struct, frozen=True):
    type: str
    server_id: _Server
    user_nkey: str
    connect_opts: _Shown


class _Request(Struct, frozen=True):
    iss: str
    aud: str
    sub: str
    iat: int
    nats: _Nats


class Callout:
    """Reads what servers ask and writes the answers. `issuer`: the seed of the account key that servers trust; `xkey`: a curve key's."""

    def __init__(self, issuer: Secret, xkey: Secret) -> None:
        self._issuer = issuer
        self._xkey = xkey
        self._name = public_key(issuer.reveal())

    def read(self, data: bytes, server_key: str) -> ConnectionRequest:
        """Raises Unreadable. A server's key is its own word for itself: what counts is that it could ask, on a subject that only our
        own users and servers reach. When it asked is not held against our clock, which may be off."""
        try:
            claims = verified(opened(data, seed=self._xkey.reveal(), sender=server_key).decode("ascii"), Kind.SERVER)
            asked = msgspec.json.decode(claims, type=_Request)
        except (CannotOpen, NotSigned, UnicodeError, RecursionError, msgspec.DecodeError) as bad:
            raise Unreadable(type(bad).__name__) from None  # the cause may hold the token
        nats = asked.nats
        if (asked.aud, nats.type, asked.sub) != (_AUDIENCE, _TYPE, self._name):
            raise Unreadable("for another")
        if asked.iss != nats.server_id.id or nats.server_id.xkey != server_key or public_bytes(nats.user_nkey, Kind.USER) is None:
            raise Unreadable("at odds with itself")
        return ConnectionRequest(
            server_id=nats.server_id.id,
            server_key=server_key,
            user_nkey=nats.user_nkey,
            asked_at=asked.iat,
            token=_only_token(nats.connect_opts),
        )

    def let_in(self, request: ConnectionRequest, *, name: ClientId, rights: Rights, until: int) -> bytes:
        """Answer that the connection may do this and nothing else, and ends at `until`. Raises ValueError for no rights at all: to NATS
        an empty list is no bound."""
        if not rights.publish or not rights.subscribe:
            raise ValueError("nobody is let in without bounds")
        user = {
            "sub": request.user_nkey,
            "aud": DOWNSTREAM,
            "name": name,
            "iat": request.asked_at,
            "exp": until,
            "nats": {
                "type": "user",
                "version": 2,
                "pub": {"allow": rights.publish},
                "sub": {"allow": rights.subscribe},
                "subs": _NO_LIMIT,
                "data": _NO_LIMIT,
                "payload": _NO_LIMIT,
                "allowed_connection_types": ["STANDARD", "WEBSOCKET"],
            },
        }
        return self._answer(request, {"jwt": signed(user, self._issuer.reveal())})

    def refuse(self, request: ConnectionRequest) -> bytes:
        """Answer no, in the same words whatever the reason: the server writes them to its log, and tells the client nothing."""
        return self._answer(request, {"error": _REFUSED})

    def _answer(self, request: ConnectionRequest, said: dict[str, str]) -> bytes:
        answer: dict[str, Any] = {
            "sub": request.user_nkey,
            "aud": request.server_id,
            "iat": request.asked_at,
            "nats": {"type": "authorization_response", "version": 2, **said},
        }
        return sealed(signed(answer, self._issuer.reveal()).encode(), seed=self._xkey.reveal(), to=request.server_key)


def _only_token(shown: _Shown) -> Secret | None:
    others = (shown.user, shown.password, shown.jwt, shown.nkey)
    return Secret(shown.auth_token) if shown.auth_token and not any(others) else None
