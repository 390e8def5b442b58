"""What a token is worth at this moment, for a service that was shown it (RFC 7662): strong, in one read, and nothing is written.

The asker proves itself first, and learns only of tokens for audiences that are its own (RFC 7662 4): of all others, that they are not
active, as of made-up ones.
"""

from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from commands.audience_heads import audience_reads, serves
from commands.authenticate_client import Shown, client_read, require_client
from commands.identify import live_reads, require_live
from commands.issue_token import origin_of_genuine
from commands.key_holders import HeldKey, identify_key
from commands.machines import claimed_reads, require_claimed
from commands.ports import AccessClaims, Ports, PresentedRefreshToken
from commands.transact import Read, Transaction, read_states
from domain import session, user
from domain.audience import PrincipalKind
from domain.client import Registered
from domain.errors import InvalidRefreshToken, InvalidToken
from domain.ids import AudienceName
from domain.session_state import Live
from domain.user import Active

Presented = AccessClaims | PresentedRefreshToken | str | None
"""A verified access token, a refresh token of the right shape, the text of an API key; None for what is none of it."""


class Introspection(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """RFC 7662 2.2. Where it is not active, nothing else is said."""

    active: bool
    token_type: Literal["Bearer", "refresh_token", "api_key", ""] = ""
    sub: str = ""
    aud: str = ""
    client_id: str = ""
    scope: str = ""
    exp: int = 0
    iat: int = 0
    jti: str = ""
    sid: str = ""
    principal: PrincipalKind | None = None
    roles: tuple[str, ...] = ()
    auth_time: int = 0
    acr: str = ""
    amr: tuple[str, ...] = ()


_BEARER: Literal["Bearer"] = "Bearer"
INACTIVE = Introspection(active=False)
Judge = Callable[[Transaction], Introspection]


async def introspect(presented: Presented, shown: Shown, ports: Ports) -> Introspection:
    """Raises InvalidClient; a token that is not good is an answer, no refusal."""
    if isinstance(presented, str):
        return await _of_key(presented, shown, ports)
    reads, judge = await _question(presented, ports)
    tx = await read_states(ports, [client_read(shown), *reads])
    asker = await require_client(tx, shown, ports)
    try:
        return _told(asker, judge(tx), tx)
    except InvalidToken:
        return INACTIVE


def _told(asker: Registered, found: Introspection, tx: Transaction) -> Introspection:
    return found if found.active and serves(tx, asker, AudienceName(found.aud)) else INACTIVE


async def _of_key(text: str, shown: Shown, ports: Ports) -> Introspection:
    try:
        held, tx = await identify_key(text, ports, alongside=[client_read(shown)])
    except InvalidToken:
        await require_client(await read_states(ports, [client_read(shown)]), shown, ports)
        return INACTIVE
    return _told(await require_client(tx, shown, ports), _key(held), tx)


async def _question(presented: AccessClaims | PresentedRefreshToken | None, ports: Ports) -> tuple[list[Read], Judge]:
    try:
        if isinstance(presented, PresentedRefreshToken):
            return await _of_refresh(presented, ports)
        if presented is not None and presented.principal is PrincipalKind.SERVICE:
            return claimed_reads(presented), lambda tx: _machine(presented, tx)
        if presented is not None:
            return [*live_reads(presented), *audience_reads([AudienceName(presented.aud)])], lambda tx: _person(presented, tx)
    except (InvalidToken, InvalidRefreshToken):
        pass
    return [], lambda _: INACTIVE


def _person(claims: AccessClaims, tx: Transaction) -> Introspection:
    _, account = require_live(claims, tx)
    return Introspection(
        active=True, token_type=_BEARER, sub=claims.sub, aud=claims.aud, client_id=claims.client_id, scope=claims.scope, exp=claims.exp,
        iat=claims.iat, jti=claims.jti, sid=claims.sid, principal=claims.principal, roles=account.roles, auth_time=claims.auth_time,
        acr=claims.acr, amr=claims.amr,
    )  # fmt: skip


def _machine(claims: AccessClaims, tx: Transaction) -> Introspection:
    machine = require_claimed(claims, tx)
    return Introspection(
        active=True, token_type=_BEARER, sub=claims.sub, aud=claims.aud, client_id=claims.client_id, exp=claims.exp, iat=claims.iat,
        jti=claims.jti, scope=" ".join(machine.permissions), principal=claims.principal,
    )  # fmt: skip


def _key(held: HeldKey) -> Introspection:
    owner = held.key.client_id if held.key.user_id is None else held.key.user_id
    return Introspection(
        active=True,
        token_type="api_key",  # noqa: S106 - the name of a kind
        sub=str(owner),
        aud=held.key.audience,
        client_id=held.key.client_id or "",
        scope=" ".join(held.machine.permissions),
        exp=int(held.key.expires_at.timestamp()),
        iat=int(held.key.made_at.timestamp()),
        jti=str(held.key.key_id),
        principal=PrincipalKind.SERVICE if held.key.user_id is None else PrincipalKind.USER,
    )


async def _of_refresh(presented: PresentedRefreshToken, ports: Ports) -> tuple[list[Read], Judge]:
    origin = await origin_of_genuine(presented, ports)
    of_session, of_user = session.stream(presented.session_id), user.stream(origin.user_id)

    def judge(tx: Transaction) -> Introspection:
        which, who = tx.state(session.decider, of_session), tx.state(user.decider, of_user)
        if not isinstance(which, Live) or not isinstance(who, Active) or presented.generation != which.generation:
            return INACTIVE
        if not session.is_live(which, user_epoch=who.account.token_epoch, at=tx.at):
            return INACTIVE
        return Introspection(
            active=True,
            token_type="refresh_token",  # noqa: S106 - the name of a kind
            sub=str(which.user_id),
            aud=which.audience,
            client_id=which.client_id,
            exp=int(which.idle_expires_at.timestamp()),
            iat=int(which.rotated_at.timestamp()),
            sid=str(which.session_id),
            principal=PrincipalKind.USER,
        )

    return [(session.decider, of_session), (user.decider, of_user), *audience_reads(origin.audiences)], judge
