"""Who a request comes from, and what they may do here."""

from dataclasses import dataclass, field
from typing import Literal

from minos_sdk.permissions import allows

Principal = Literal["user", "service", "api_key"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a verified credential says, as far as it still holds. Times are seconds since 1970."""

    principal: Principal
    subject: str
    """A person's id, a service account's `client_id`, or whom an API key belongs to."""
    user_id: str | None = None
    """The person, where there is one."""
    client_id: str | None = None
    """The application a person signed in with, or the service account."""
    session_id: str | None = None
    token_id: str | None = None
    key_id: str | None = None
    """Of an API key."""
    audience: str
    roles: frozenset[str] = frozenset()
    """A person's roles that still count: the token's, without those lost or retired since."""
    permissions: frozenset[str] = frozenset()
    """What the roles give at this audience now; of services and keys, what their scope says."""
    scopes: frozenset[str] = frozenset()
    auth_time: int | None = None
    """When a person last proved who they are (OpenID Connect Core 2)."""
    acr: str | None = None
    amr: tuple[str, ...] = ()
    issued_at: int | None = None
    expires_at: int | None = None
    epoch: int = field(default=0, repr=False)
    roles_version: int = field(default=0, repr=False)
    kid: str | None = field(default=None, repr=False)
    """The key that signed the token. These three say which later signals take it back."""

    def has_permission(self, permission: str) -> bool:
        """Tell whether one of the permissions covers it: `tasks.*` covers `tasks.read`."""
        return allows(self.permissions, permission)

    def has_role(self, role: str) -> bool:
        return role in self.roles
