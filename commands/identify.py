"""From a verified token to who is calling, on the truth: both heads, read in the same moment, never a read model."""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from uuid import UUID

from msgspec import Struct

from commands.context import Principal
from commands.factor_policy_head import POLICY_READ
from commands.ports import AccessClaims, Ports
from commands.transact import Read, Transaction, read_states
from domain import role, session, signing_key, user
from domain.account import Account
from domain.audience import PrincipalKind
from domain.errors import InvalidToken, SessionRequired
from domain.factor_policy import meets
from domain.ids import AudienceName, Kid, RoleName, RoleSlug, SessionId, StreamName, UserId
from domain.permission import Permission
from domain.session import MINOS
from domain.session_state import Live
from domain.user import Active


class SessionStanding(Struct, frozen=True, kw_only=True):
    """What `auth/session` answers about a live session."""

    active: bool
    session_id: SessionId
    user_id: UserId
    roles: tuple[RoleSlug, ...]
    auth_time: datetime
    expires_at: datetime


async def identify(claims: AccessClaims, ports: Ports, *, rights: bool = True) -> Principal:
    """Find the caller live, with what their roles give now. Raises InvalidToken, SessionRequired.

    Without `rights` the permissions are left empty, which can only refuse: for calls that need none.
    """
    live, account, seen_at = await _live(claims, ports)
    permissions, withheld = await _rights_in(live, account, ports) if rights and account.roles else ((), ())
    return Principal(
        user_id=account.user_id,
        session_id=live.session_id,
        audience=AudienceName(claims.aud),
        roles=account.roles,
        permissions=permissions,
        withheld=withheld,
        auth_time=claims.auth_time,
        seen_at=int(seen_at.timestamp()),
        expires_at=claims.exp,
        acr=claims.acr,
        amr=claims.amr,
    )


async def _rights_in(live: Live, account: Account, ports: Ports) -> tuple[tuple[Permission, ...], tuple[Permission, ...]]:
    """Give what the account's roles give in a session at Minos itself, and what they withhold until a demanded factor was shown in it."""
    reads: list[Read] = [POLICY_READ, *((role.decider, role.stream(name)) for name in account.roles)]
    tx = await read_states(ports, reads)
    policy, shown = tx.state(*POLICY_READ), [proof.method for proof in live.proofs]
    given: set[Permission] = set()
    withheld: set[Permission] = set()
    for name in account.roles:
        met = meets(policy.asks([name], MINOS), shown)
        (given if met else withheld).update(role.gives(tx.state(role.decider, role.stream(name))))
    return tuple(sorted(given)), tuple(sorted(withheld))


async def standing(claims: AccessClaims, ports: Ports) -> SessionStanding:
    """Say how the token's session stands this moment. Raises InvalidToken unless it is live, SessionRequired for a machine's."""
    live, account, _ = await _live(claims, ports)
    return SessionStanding(
        active=True,
        session_id=live.session_id,
        user_id=account.user_id,
        roles=account.roles,
        auth_time=datetime.fromtimestamp(claims.auth_time, UTC),
        expires_at=datetime.fromtimestamp(claims.exp, UTC),
    )


async def rights_of(roles: Iterable[RoleName], ports: Ports) -> dict[RoleName, tuple[Permission, ...]]:
    """Give what each role gives, from the roles' heads. A retired or unknown role gives nothing."""
    names = tuple(roles)
    if not names:
        return {}
    reads: list[Read] = [(role.decider, role.stream(name)) for name in names]
    tx = await read_states(ports, reads)
    return {name: role.gives(tx.state(role.decider, role.stream(name))) for name in names}


async def _live(claims: AccessClaims, ports: Ports) -> tuple[Live, Account, datetime]:
    """Give the session, the account, and the moment they were read."""
    tx = await read_states(ports, live_reads(claims))
    live, account = require_live(claims, tx)
    ports.last_used.note(session.stream(live.session_id), at=tx.at)
    return live, account, tx.at


def live_reads(claims: AccessClaims) -> list[Read]:
    """What `require_live` needs to be read. Raises InvalidToken, SessionRequired for a machine's token."""
    if claims.principal is not PrincipalKind.USER:
        raise SessionRequired
    of_session, of_user, of_key = _streams(claims.sid, claims.sub, claims.kid)
    reads: list[Read] = [(session.decider, of_session), (user.decider, of_user)]
    return reads if of_key is None else [*reads, (signing_key.decider, of_key)]


def require_live(claims: AccessClaims, tx: Transaction) -> tuple[Live, Account]:
    """Give the session and account of a person's token, both live. Raises InvalidToken.

    An older token of a rebased session is as dead as its epoch; a token of a revoked key, as its key.
    """
    of_session, of_user, of_key = _streams(claims.sid, claims.sub, claims.kid)
    if of_key is not None and not signing_key.verifies(tx.state(signing_key.decider, of_key), at=tx.at):
        raise InvalidToken
    who, which = tx.state(user.decider, of_user), tx.state(session.decider, of_session)
    if not isinstance(who, Active) or not isinstance(which, Live) or not _belongs(claims, which, who.account, tx):
        raise InvalidToken
    return which, who.account


@lru_cache(maxsize=4_096)
def _streams(sid: str, sub: str, kid: str) -> tuple[StreamName, StreamName, StreamName | None]:
    """Remembered, since a token is shown again and again. Raises InvalidToken."""
    try:
        of_session, of_user = session.stream(SessionId(UUID(sid))), user.stream(UserId(UUID(sub)))
    except ValueError as bad:
        raise InvalidToken from bad
    return of_session, of_user, signing_key.stream(Kid(kid)) if kid else None


def _belongs(claims: AccessClaims, live: Live, account: Account, tx: Transaction) -> bool:
    return (
        live.user_id == account.user_id
        and claims.epoch >= account.token_epoch
        and session.is_live(live, user_epoch=account.token_epoch, at=tx.at)
    )
