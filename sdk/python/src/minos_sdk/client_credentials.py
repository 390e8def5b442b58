"""How a service proves itself to Minos: with a secret, or with a key of its own and an assertion it signs (RFC 6749 2.3, RFC 7523)."""

import base64
import secrets
import time
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import quote_plus

import jwt

from minos_sdk import given
from minos_sdk.key_set import ALGORITHMS

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_LIFE_S = 60


class ClientCredentials(Protocol):
    @property
    def client_id(self) -> str: ...

    def proof(self, issuer: str) -> tuple[dict[str, str], dict[str, str]]:
        """Give header fields and form fields, for one request to this issuer."""
        ...


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """`client_secret_basic`."""

    client_id: str
    secret: str = field(repr=False)

    def __post_init__(self) -> None:
        given.text("client_id", self.client_id, "a service account's id", shape=given.SLUG)
        given.text("secret", self.secret, "a service account's secret")

    def proof(self, issuer: str) -> tuple[dict[str, str], dict[str, str]]:  # noqa: ARG002 - a secret is the same for everybody
        """Both parts are form-encoded inside (RFC 6749 2.3.1)."""
        pair = f"{quote_plus(self.client_id)}:{quote_plus(self.secret)}"
        return {"authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}, {}


@dataclass(frozen=True, slots=True)
class ClientKey:
    """`private_key_jwt`. `private_key`: PEM, or a key of `cryptography`; its public half is registered with Minos, and `kid` names it."""

    client_id: str
    private_key: Any = field(repr=False)
    kid: str | None = None
    algorithm: str = "ES256"

    def __post_init__(self) -> None:
        given.text("client_id", self.client_id, "a service account's id", shape=given.SLUG)
        if self.kid is not None:
            given.text("kid", self.kid, "the name of a key")
        if self.algorithm not in ALGORITHMS:
            raise ValueError(f"algorithm is one of {', '.join(ALGORITHMS)}")
        try:
            jwt.encode({}, self.private_key, algorithm=self.algorithm)
        except (jwt.PyJWTError, ValueError, TypeError, AttributeError):
            raise ValueError(f"private_key is one for the algorithm {self.algorithm}: PEM, or of cryptography") from None

    def proof(self, issuer: str) -> tuple[dict[str, str], dict[str, str]]:
        """A new assertion each time: one is good once."""
        now = int(time.time())
        claims = {
            "iss": self.client_id, "sub": self.client_id, "aud": issuer, "iat": now, "exp": now + _LIFE_S, "jti": secrets.token_urlsafe(16),
        }  # fmt: skip
        headers = {} if self.kid is None else {"kid": self.kid}
        assertion = jwt.encode(claims, self.private_key, algorithm=self.algorithm, headers=headers)
        return {}, {"client_assertion": assertion, "client_assertion_type": ASSERTION_TYPE, "client_id": self.client_id}
