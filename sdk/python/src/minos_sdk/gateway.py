"""Behind a gateway that asked Minos (`auth/check`): what it hands on is a JWT for a minute, and that alone is believed.

Plain header fields like `Minos-Subject` are for logs. A service that believes those believes whoever reaches it past the gateway.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Self

import httpx

from minos_sdk import given
from minos_sdk.claims import number, text, texts
from minos_sdk.errors import ExpiredToken, InvalidToken, KeysUnavailable
from minos_sdk.http import OwnedClient, checked_issuer
from minos_sdk.identity import Identity, Principal
from minos_sdk.jws import Malformed, Object, read, read_object
from minos_sdk.policies import BlindPolicy
from minos_sdk.ports import Clock, KeySource, clock_of
from minos_sdk.signal_sets import check_signature, check_type

TYPE = "minos-internal+jwt"
LONGEST = 8_192
LEEWAY_S = 5
_LONGEST_LIFE_S = 120


class GatewayVerifier:
    """Verifies what a gateway handed on for one audience. For `MinosMiddleware(..., by_gateway=True)`, in a `Verifier`'s place.

    Minos has just judged the credential, so there is nothing to listen to: what was revoked since is known within the minute.
    """

    def __init__(
        self,
        *,
        issuer: str,
        audience: str,
        keys: KeySource | None = None,
        http: httpx.AsyncClient | None = None,
        clock: Clock | None = None,
    ) -> None:
        given.audience("audience", audience)
        url = f"{checked_issuer(issuer)}/.well-known/internal-jwks.json"
        self.issuer, self.audience = issuer, audience
        self._clock = clock_of(clock)
        self._http = OwnedClient(http)
        self._keys = self._http.keys("keys", keys, url, self._clock)
        self._looking: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._looking = asyncio.create_task(self._keys.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        await self._http.close()

    async def verify(self, token: str, *, on_blind: BlindPolicy | None = None) -> Identity:  # noqa: ARG002 - nothing to be blind to
        """Raises InvalidToken, ExpiredToken, KeysUnavailable."""
        try:
            signed = read(token, longest=LONGEST)
            check_type(signed.header, TYPE)
            check_signature(signed, await self._keys.find(signed.header.kid))
            return self._identity(read_object(signed.body))
        except Malformed as bad:
            raise InvalidToken(reason=bad.reason) from None

    @asynccontextmanager
    async def watching(self, identity: Identity) -> AsyncGenerator[asyncio.Event]:  # noqa: ARG002 - one shape for all verifiers
        """Give what is never set: an open WebSocket lasts as long as its token."""
        yield asyncio.Event()

    def ready(self) -> bool:
        """Tell whether keys are there."""
        try:
            self._keys.get("")
        except KeysUnavailable:
            return False
        return True

    def _identity(self, payload: Object) -> Identity:
        now, exp, iat = self._clock.time(), number(payload, "exp"), number(payload, "iat")
        if (text(payload, "iss"), text(payload, "aud")) != (self.issuer, self.audience) or not iat <= exp <= iat + _LONGEST_LIFE_S:
            raise Malformed("claims")
        if iat > now + LEEWAY_S:
            raise Malformed("not_yet")
        if now >= exp + LEEWAY_S:
            raise ExpiredToken(reason="expired")
        principal = _principal(payload)
        subject, permissions = text(payload, "sub"), frozenset(texts(payload, "permissions"))
        client_id = _optional(payload, "client_id")
        person = principal == "user" or (principal == "api_key" and client_id is None)
        return Identity(
            principal=principal,
            subject=subject,
            user_id=subject if person else None,
            client_id=client_id,
            session_id=text(payload, "sid") if principal == "user" else None,
            token_id=text(payload, "jti"),
            key_id=text(payload, "key_id") if principal == "api_key" else None,
            audience=self.audience,
            roles=frozenset(texts(payload, "roles")),
            permissions=permissions,
            scopes=frozenset() if principal == "user" else permissions,
            auth_time=number(payload, "auth_time") if principal == "user" else None,
            acr=_optional(payload, "acr"),
            amr=texts(payload, "amr") if "amr" in payload else (),
            issued_at=iat,
            expires_at=exp,
        )


def _principal(payload: Object) -> Principal:
    match text(payload, "principal"):
        case "user":
            return "user"
        case "service":
            return "service"
        case "api_key":
            return "api_key"
        case _:
            raise Malformed("claims")


def _optional(payload: Object, name: str) -> str | None:
    return text(payload, name) if name in payload else None
