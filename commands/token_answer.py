"""What a sign-in and a refresh answer with, made from the session's state alone: a repeat gets the same refresh token."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from commands.ports import AccessClaims, Ports
from domain import token_origin
from domain.account import Account
from domain.assurance import as_claims
from domain.audience import BUILT_IN, PrincipalKind, Rules
from domain.ids import AudienceName, SessionId, UserId
from domain.session import MINOS
from domain.session_events import AuthMethod
from domain.session_state import Live

OWN_RULES = BUILT_IN[MINOS].rules
"""Of Minos itself, which is what a token is for where nothing else is said."""


class SignedIn(Struct, frozen=True, kw_only=True):
    """A token pair. Times to live are whole seconds."""

    access_token: str
    expires_in: int
    refresh_token: str
    refresh_expires_in: int
    session_id: SessionId
    user_id: UserId
    device_token: str | None = None

    def __repr__(self) -> str:
        return f"SignedIn(session_id={self.session_id}, user_id={self.user_id})"


async def token_answer(
    session: Live,
    account: Account,
    ports: Ports,
    *,
    version: int,
    at: datetime,
    device_token: str | None = None,
    rules: Rules = OWN_RULES,
) -> SignedIn:
    """Sign an access token and derive the current generation's refresh token. `version` is the session's stream's."""
    access_token, expires_in = await access_token_for(
        session, account, ports, version=version, audience=session.audience, auth_time=session.auth_time, at=at, rules=rules
    )
    refresh_token = ports.mint.refresh_token(
        session_id=session.session_id,
        generation=session.generation,
        key_version=session.key_version,
        seed=session.seed,
    )
    return SignedIn(
        access_token=access_token,
        expires_in=expires_in,
        refresh_token=refresh_token,
        refresh_expires_in=max(0, int((session.idle_expires_at - at).total_seconds())),
        session_id=session.session_id,
        user_id=account.user_id,
        device_token=device_token,
    )


async def access_token_for(
    session: Live,
    account: Account,
    ports: Ports,
    *,
    version: int,
    audience: AudienceName,
    auth_time: datetime,
    at: datetime,
    methods: Sequence[AuthMethod] | None = None,
    rules: Rules = OWN_RULES,
    not_after: int | None = None,
) -> tuple[str, int]:
    """Give an access token and its life in seconds. Roles and epochs are the account's of this moment.

    `methods` is what was shown at `auth_time`; without it, all that was shown in this session. `not_after`: seconds since the epoch.
    """
    acr, amr = as_claims(tuple([proof.method for proof in session.proofs] if methods is None else methods))
    expires_at = min(at + timedelta(seconds=access_ttl(rules, ports)), session.expires_at)
    issued, ends = int(at.timestamp()), int(expires_at.timestamp())
    claims = AccessClaims(
        sub=str(account.user_id),
        aud=audience,
        exp=ends if not_after is None else min(ends, not_after),
        iat=issued,
        jti=token_origin.written(session.session_id, version, ports.random.bytes(token_origin.TAIL)),
        sid=str(session.session_id),
        client_id=session.client_id,
        auth_time=int(auth_time.timestamp()),
        acr=acr,
        amr=amr,
        scope="",
        roles=tuple(account.roles),
        principal=PrincipalKind.USER,
        epoch=session.token_epoch,
        roles_version=account.roles_version,
    )
    return await ports.mint.access_token(claims, rules.algorithm), max(0, claims.exp - issued)


def access_ttl(rules: Rules, ports: Ports) -> int:
    """Give the life of an audience's access tokens in seconds."""
    return ports.policy.access_token_ttl if rules.access_token_ttl is None else rules.access_token_ttl
