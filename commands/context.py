"""Who is asking, and what may be recorded of the asking."""

from msgspec import Struct

from domain.assurance import Acr
from domain.ids import ActionId, ActionSlug, AudienceSlug, ClientSlug, CorrelationId, EventId, KeyId, RoleSlug, SessionId, TokenId, UserId
from domain.permission import PermissionText


class Principal(Struct, frozen=True, kw_only=True):
    """A caller whose session and account were found live in the heads just now. Times are seconds since the epoch."""

    user_id: UserId
    session_id: SessionId
    audience: AudienceSlug
    roles: tuple[RoleSlug, ...]
    permissions: tuple[PermissionText, ...]
    """What those roles give at this moment, of which nothing is demanded that was not shown in this session."""
    withheld: tuple[PermissionText, ...] = ()
    """What the others would give."""
    auth_time: int
    """When they last proved who they are, by the token at hand."""
    seen_at: int
    """When they were found live; by the database's clock, as `auth_time`."""
    expires_at: int
    acr: str = Acr.ONE_FACTOR
    amr: tuple[str, ...] = ()
    """What the token in hand says was shown at `auth_time`."""
    factorless: bool = False
    """A proof was taken without a second factor because there was none. What is decided on it holds only while there is none."""


class Machine(Struct, frozen=True, kw_only=True):
    """A caller who is no person in a session, found live in the heads just now: a service account by a token of its own, or a program
    by an API key of a service account or a person."""

    client_id: ClientSlug | None = None
    """The service account that calls, or whose key was shown."""
    user_id: UserId | None = None
    """The person whose key was shown."""
    key_id: KeyId | None = None
    token_id: TokenId | None = None
    long_lived: bool = False
    """A service token, which has to have been issued as one; not an access token of minutes."""
    epoch: int = 0
    """Of the service account, as the token has it."""
    audience: AudienceSlug
    roles: tuple[RoleSlug, ...] = ()
    """Of the person whose key it is: they bound what it gives."""
    permissions: tuple[PermissionText, ...]
    """What the token or key gives, and its owner still has at this moment."""

    @property
    def name(self) -> str:
        return f"client:{self.client_id}" if self.key_id is None else f"api_key:{self.key_id}"


class ActionUse(Struct, frozen=True, kw_only=True):
    """An action token that was shown in place of a fresh proof. The command's own append uses it up."""

    action_id: ActionId
    user_id: UserId
    session_id: SessionId
    audience: AudienceSlug
    action: ActionSlug
    amr: tuple[str, ...]
    """What was shown for it; what the access token beside it says does not count."""
    factorless: bool
    """As a `Principal` is."""


class Repeat(Struct, frozen=True, kw_only=True):
    """An Idempotency-Key as the store knows it (threats.md 4). `key` and `digest` are HMACs."""

    key: bytes
    digest: bytes
    sealing: bytes = b""
    """What a secret in the answer is closed under: comes from the caller's key, and is kept nowhere."""

    def __repr__(self) -> str:
        return "Repeat(...)"


class Context(Struct, frozen=True, kw_only=True):
    """What surrounds a command. `network` and `user_agent` are sealed before they go anywhere lasting."""

    correlation_id: CorrelationId
    principal: Principal | None = None
    machine: Machine | None = None
    """At most one of the two is there."""
    system: str | None = None
    """The part of Minos that acts by itself, or `cli`; a closed set of slugs."""
    causation_id: EventId | None = None
    action: ActionUse | None = None
    network: str | None = None
    user_agent: str | None = None
    repeat: Repeat | None = None

    def __repr__(self) -> str:
        return f"Context(correlation_id={self.correlation_id}, actor={self.actor})"

    @property
    def actor(self) -> str:
        if self.principal is not None:
            return f"user:{self.principal.user_id}"
        if self.machine is not None:
            return self.machine.name
        return f"system:{self.system}" if self.system else "anonymous"

    @property
    def session_id(self) -> SessionId | None:
        return None if self.principal is None else self.principal.session_id
