"""What a gateway asks for each request: is this credential good for that audience now, and does it give what is asked for?

Strong, as every check of a caller: on the heads, in the question that finds the credential live. Nothing is written.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from commands.audience_heads import audience_in, audience_reads
from commands.factor_policy_head import POLICY_READ
from commands.identify import live_reads, require_live
from commands.key_holders import identify_key
from commands.machines import claimed_reads, require_claimed
from commands.ports import AccessClaims, Found, Ports
from commands.transact import Read, Transaction, read_states
from domain import client, role, session
from domain.audience import PrincipalKind, for_client, for_user, in_catalogue
from domain.errors import InvalidToken, PermissionDenied, StrongerFactorRequired
from domain.factor_policy import meets
from domain.ids import AudienceName, ClientId, RoleName
from domain.permission import Permission, allows
from domain.session_state import Live


class Demand(Struct, frozen=True, kw_only=True):
    """What a credential has to be for, and all that it has to give. The gateway's own words, never those of whoever sent the request."""

    audience: AudienceName
    roles: tuple[RoleName, ...] = ()
    permissions: tuple[Permission, ...] = ()


class _Holdings(Struct, frozen=True, kw_only=True):
    """What a person's roles give at an audience, and which of them still withhold it until a demanded factor was shown."""

    roles: tuple[RoleName, ...]
    permissions: tuple[Permission, ...]
    withheld_roles: tuple[RoleName, ...]
    withheld: tuple[Permission, ...]


async def check_credential(presented: AccessClaims | str, demand: Demand, ports: Ports) -> Found:
    """Judge a verified access token, or the text of an API key.

    Raises InvalidToken (also for another audience's), AudienceNotAllowed for a person whom the audience does not admit any more,
    PermissionDenied, and StrongerFactorRequired where it is a factor alone that is missing.
    """
    if isinstance(presented, str):
        return _granted(await _of_key(presented, demand, ports), demand)
    if presented.aud != demand.audience:
        raise InvalidToken
    if presented.principal is PrincipalKind.SERVICE:
        return _granted(await _of_machine(presented, ports), demand)
    return await _of_person(presented, demand, ports)


async def _of_key(text: str, demand: Demand, ports: Ports) -> Found:
    held, tx = await identify_key(text, ports)
    if held.key.audience != demand.audience:
        raise InvalidToken
    owner = held.key.client_id if held.key.user_id is None else held.key.user_id
    return Found(
        principal="api_key",
        subject=str(owner),
        audience=held.key.audience,
        permissions=held.machine.permissions,
        client_id=held.key.client_id or "",
        key_id=str(held.key.key_id),
        at=tx.at,
        expires_at=int(held.key.expires_at.timestamp()),
    )


async def _of_machine(claims: AccessClaims, ports: Ports) -> Found:
    tx = await read_states(ports, claimed_reads(claims))
    machine = require_claimed(claims, tx)
    client_id = ClientId(claims.sub)
    ports.last_used.note(client.stream(client_id), at=tx.at)
    rules = for_client(audience_in(tx, machine.audience), client_id)
    return Found(
        principal="service",
        subject=claims.sub,
        audience=machine.audience,
        permissions=in_catalogue(machine.audience, rules, machine.permissions),
        client_id=client_id,
        at=tx.at,
        expires_at=claims.exp,
    )


def _granted(found: Found, demand: Demand) -> Found:
    """Raises PermissionDenied."""
    if demand.roles or not all(allows(found.permissions, wanted) for wanted in demand.permissions):
        raise PermissionDenied
    return found


async def _of_person(claims: AccessClaims, demand: Demand, ports: Ports) -> Found:
    read: Sequence[RoleName] = [RoleName(name) for name in claims.roles]
    tx = await read_states(ports, _person_reads(claims, read))
    live, account = require_live(claims, tx)
    if not set(account.roles) <= set(read):  # granted since the token was issued: what those give has to be read as well
        read = account.roles
        tx = await read_states(ports, _person_reads(claims, read))
        live, account = require_live(claims, tx)
    ports.last_used.note(session.stream(live.session_id), at=tx.at)
    held = _holdings([name for name in account.roles if name in read], demand.audience, live, tx)
    _require(held, demand)
    return Found(
        principal="user",
        subject=claims.sub,
        audience=demand.audience,
        roles=held.roles,
        permissions=held.permissions,
        session_id=claims.sid,
        client_id=claims.client_id,
        auth_time=claims.auth_time,
        acr=claims.acr,
        amr=claims.amr,
        at=tx.at,
        expires_at=claims.exp,
    )


def _person_reads(claims: AccessClaims, roles: Iterable[RoleName]) -> list[Read]:
    of_roles: list[Read] = [(role.decider, role.stream(name)) for name in roles]
    return [*live_reads(claims), *audience_reads([AudienceName(claims.aud)]), POLICY_READ, *of_roles]


def _holdings(roles: Sequence[RoleName], audience: AudienceName, live: Live, tx: Transaction) -> _Holdings:
    """Raises AudienceNotAllowed for whom the audience does not admit, StrongerFactorRequired where it asks for a factor itself."""
    rules, policy = for_user(audience_in(tx, audience), roles), tx.state(*POLICY_READ)
    shown = [proof.method for proof in live.proofs]
    if not meets(policy.asks((), audience), shown):
        raise StrongerFactorRequired
    given = {name: role.gives(tx.state(role.decider, role.stream(name))) for name in roles}
    met = tuple(name for name in roles if meets(policy.asks([name], audience), shown))
    unmet = tuple(name for name in roles if name not in met)
    return _Holdings(
        roles=met,
        permissions=in_catalogue(audience, rules, sorted({p for name in met for p in given[name]})),
        withheld_roles=unmet,
        withheld=in_catalogue(audience, rules, sorted({p for name in unmet for p in given[name]})),
    )


def _require(held: _Holdings, demand: Demand) -> None:
    """Raises PermissionDenied, and StrongerFactorRequired only where a factor would mend it."""
    if set(demand.roles) <= set(held.roles) and all(allows(held.permissions, wanted) for wanted in demand.permissions):
        return
    with_factor = (*held.permissions, *held.withheld)
    if set(demand.roles) <= {*held.roles, *held.withheld_roles} and all(allows(with_factor, wanted) for wanted in demand.permissions):
        raise StrongerFactorRequired
    raise PermissionDenied
