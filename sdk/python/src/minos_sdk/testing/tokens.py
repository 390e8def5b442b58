"""Access tokens as the authority writes them, and with whatever a test wants to be wrong about them."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import uuid4

from minos_sdk import given
from minos_sdk.ports import Clock
from minos_sdk.testing.keys import SigningKey

ACCESS = "at+jwt"
INTERNAL = "minos-internal+jwt"


class TokenFactory:
    """Of one issuer, for one audience. Every method takes further claims by name; None leaves a claim out."""

    def __init__(self, *, issuer: str, audience: str, key: SigningKey, clock: Clock, internal_key: SigningKey | None = None) -> None:
        self.issuer = issuer
        self.audience = audience
        self.key = key
        self.internal_key = internal_key or SigningKey.new()
        self._clock = clock

    def user(self, user_id: str | None = None, *, roles: Iterable[str] = (), ttl: int = 900, **claims: Any) -> str:
        """A person's access token."""
        return self.key.signed(self.user_claims(user_id, roles=roles, ttl=ttl, **claims), typ=ACCESS)

    def service(self, client_id: str = "billing", *, permissions: Iterable[str] = (), ttl: int = 900, **claims: Any) -> str:
        """A service account's access token."""
        return self.key.signed(self.service_claims(client_id, permissions=permissions, ttl=ttl, **claims), typ=ACCESS)

    def internal(self, user_id: str | None = None, *, roles: Iterable[str] = (), permissions: Iterable[str] = (), **claims: Any) -> str:
        """What a gateway hands on after it asked `auth/check`."""
        said = self.user_claims(user_id, roles=roles, ttl=60, permissions=sorted(given.texts("permissions", permissions)), **claims)
        for name in ("epoch", "roles_version", "scope", "nbf"):
            said.pop(name)
        return self.internal_key.signed(said, typ=INTERNAL)

    def user_claims(self, user_id: str | None = None, *, roles: Iterable[str] = (), ttl: int = 900, **claims: Any) -> dict[str, Any]:
        return _without_none(
            self._claims(user_id or str(uuid4()), ttl)
            | {
                "sid": str(uuid4()), "client_id": "minos-web", "auth_time": int(self._clock.time()), "acr": "urn:minos:acr:1",
                "amr": ["pwd"], "scope": "", "roles": sorted(given.texts("roles", roles)), "principal": "user", "epoch": 1,
                "roles_version": 1,
            }
            | claims
        )  # fmt: skip

    def service_claims(
        self, client_id: str = "billing", *, permissions: Iterable[str] = (), ttl: int = 900, **claims: Any
    ) -> dict[str, Any]:
        said: dict[str, Any] = {
            "client_id": client_id, "scope": " ".join(sorted(given.texts("permissions", permissions))), "roles": [],
            "principal": "service", "epoch": 1, "roles_version": 0,
        }  # fmt: skip
        return _without_none(self._claims(client_id, ttl) | said | claims)

    def _claims(self, subject: str, ttl: int) -> dict[str, Any]:
        now = int(self._clock.time())
        return {
            "iss": self.issuer, "sub": subject, "aud": self.audience, "exp": now + ttl, "nbf": now, "iat": now, "jti": str(uuid4()),
        }  # fmt: skip


def _without_none(claims: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in claims.items() if value is not None}
