"""A token for a service account, by its own credentials (RFC 6749 4.4): for one registered audience, never for more than it may do.

One read, and no event: whoever asks ten times a second writes nothing. What it may do is looked at again at every strong check.
"""

from msgspec import Struct

from commands.audience_heads import audience_in, audience_reads
from commands.authenticate_client import Shown, client_read, require_client
from commands.machine_answer import machine_claims
from commands.ports import Ports
from commands.transact import read_states
from domain import client
from domain.audience import Rules, for_client, scope
from domain.client import Registered
from domain.errors import AudienceNotAllowed, AudienceRequired, InvalidScope
from domain.ids import AudienceName
from domain.permission import Permission, within

NONE = AudienceName("none")
"""Read where there is no one audience to read, and never looked at."""


class GrantClientToken(Struct, frozen=True, kw_only=True):
    """Without an audience, the only one the service account has; without permissions, all it has there."""

    shown: Shown
    audience: AudienceName | None = None
    permissions: tuple[Permission, ...] | None = None

    def __repr__(self) -> str:
        return f"GrantClientToken(audience={self.audience})"


class ClientToken(Struct, frozen=True, kw_only=True):
    access_token: str
    expires_in: int
    scope: str

    def __repr__(self) -> str:
        return "ClientToken(...)"


async def grant_client_token(command: GrantClientToken, ports: Ports) -> ClientToken:
    """Raises InvalidClient, AudienceNotAllowed, AudienceRequired, InvalidScope."""
    audience = command.audience or await _only_audience(command.shown, ports)
    tx = await read_states(ports, [client_read(command.shown), *audience_reads([audience or NONE])])
    account = await require_client(tx, command.shown, ports)
    if audience is None:
        raise AudienceRequired
    if audience not in account.audiences:
        raise AudienceNotAllowed
    rules = for_client(audience_in(tx, audience), account.client_id)
    permissions = _granted(account, rules, command.permissions)
    ttl = min(account.token_ttl, rules.access_token_ttl or account.token_ttl)
    claims = machine_claims(account, ports, audience=audience, permissions=permissions, ttl=ttl, at=tx.at)
    token = await ports.mint.access_token(claims, rules.algorithm)
    return ClientToken(access_token=token, expires_in=ttl, scope=claims.scope)


def _granted(account: Registered, rules: Rules, wanted: tuple[Permission, ...] | None) -> tuple[Permission, ...]:
    """Raises InvalidScope for more than there is."""
    allowed = scope(rules, account.permissions)
    if wanted is None:
        return allowed
    if not within(wanted, allowed):
        raise InvalidScope
    return tuple(sorted(set(wanted)))


async def _only_audience(shown: Shown, ports: Ports) -> AudienceName | None:
    """Give the one there is, before the proof: who is refused must not learn by the time it takes whether there is such a client."""
    of_client = client_read(shown)
    state = (await read_states(ports, [of_client])).state(client.decider, of_client[1])
    return state.audiences[0] if isinstance(state, Registered) and len(state.audiences) == 1 else None
