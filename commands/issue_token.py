"""A refresh token is shown, the next token is issued (RFC 9700 4.14; threats.md 1)."""

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta, Struct

from commands.audience_heads import audience_in, audience_reads
from commands.context import Context
from commands.factor_policy_head import POLICY_READ, shows_enough
from commands.ports import Ports, PresentedRefreshToken
from commands.session_origins import SessionOrigin
from commands.token_answer import OWN_RULES, SignedIn, access_ttl, token_answer
from commands.transact import Read, Transaction, read_states, transact
from domain import session, session_state, user
from domain.account import Account
from domain.audience import Audience, Defined, Rules, Undefined, for_user
from domain.errors import Contended, InvalidRefreshToken, RefreshTokenReused, StrongerFactorRequired
from domain.ids import AudienceSlug, SessionId
from domain.session import MINOS
from domain.session_events import RefreshReused, SessionEvent
from domain.session_state import Ended, Live
from domain.user import Active


class IssueToken(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`audience` must be one the session was started for; without it, the one of the token before."""

    refresh_token: Annotated[str, Meta(min_length=1, max_length=512)]
    audience: AudienceSlug | None = None

    def __repr__(self) -> str:
        return f"IssueToken(audience={self.audience})"


async def issue_token(command: IssueToken, ctx: Context, ports: Ports) -> SignedIn:
    """Rotate, repeat within the grace, or end the family.

    Raises InvalidRefreshToken (nothing is written: a stranger who knows a session's id can do nothing to it),
    RefreshTokenReused (after the family's end was appended), AudienceNotAllowed, and StrongerFactorRequired (also without a trace) where
    roles and audience ask for more now than was ever shown in this session (threats.md 10); Contended.
    """
    presented = ports.mint.read_refresh_token(command.refresh_token)
    if presented is None:
        raise InvalidRefreshToken
    origin = await origin_of_genuine(presented, ports)
    of_session, of_user = session.stream(presented.session_id), user.stream(origin.user_id)
    was_current = False

    def decide(tx: Transaction) -> tuple[session_state.Session, Account, Rules]:
        nonlocal was_current
        now = tx.state(user.decider, of_user)
        if not isinstance(now, Active):
            raise InvalidRefreshToken
        before = tx.state(session.decider, of_session)
        asked = _asked_for(before, command, origin, tx)
        events = session.refresh(
            before, generation=presented.generation, user_epoch=now.account.token_epoch, audience=command.audience,
            key_version=ports.mint.refresh_key_version, grace=ports.policy.refresh_grace, at=tx.at,
            access_ttl=access_ttl(asked.rules if isinstance(asked, Defined) else OWN_RULES, ports),
        )  # fmt: skip
        if was_current:
            _refuse_held_up(events)
        was_current = isinstance(before, Live) and before.generation == presented.generation
        after = tx.record(session.decider, of_session, events)
        # Whoever may not ask for it any more is told so after a copy of the token was told apart: that ends the family, audience or not.
        return after, now.account, _rules_for(after, asked, now.account, tx) if isinstance(after, Live) else OWN_RULES

    glance: list[Read] = [(user.decider, of_user), POLICY_READ, *audience_reads(origin.audiences)]
    done = await transact(ports, ctx, [(session.decider, of_session)], decide, glance=glance)
    state, account, rules = done.result
    if isinstance(state, Ended):
        raise RefreshTokenReused
    return await token_answer(session.live(state), account, ports, version=done.versions.get(of_session, 0), at=done.at, rules=rules)


def _refuse_held_up(events: Sequence[SessionEvent]) -> None:
    """Its append took so long that others moved the session on: whoever asked again elsewhere is no sign of a copy. Raises Contended."""
    if any(isinstance(event, RefreshReused) for event in events):
        raise Contended


def _rules_for(live: Live, asked: Audience, account: Account, tx: Transaction) -> Rules:
    """Raises AudienceNotAllowed, StrongerFactorRequired."""
    rules = for_user(asked, account.roles)
    if not shows_enough(live, account, live.audience, tx):
        raise StrongerFactorRequired
    return rules


def _asked_for(before: session_state.Session, command: IssueToken, origin: SessionOrigin, tx: Transaction) -> Audience:
    """Give the audience the next token is for: the one named, or that of the token before."""
    named = command.audience or (before.audience if isinstance(before, Live) else MINOS)
    return audience_in(tx, named) if named in origin.audiences else Undefined()


async def origin_of_genuine(presented: PresentedRefreshToken, ports: Ports) -> SessionOrigin:
    origin = ports.origins.recall(presented.session_id) or await _origin(presented.session_id, ports)
    if not ports.mint.refresh_token_is_genuine(presented, seed=origin.seed):
        raise InvalidRefreshToken
    return origin


async def _origin(session_id: SessionId, ports: Ports) -> SessionOrigin:
    stream = session.stream(session_id)
    state = (await read_states(ports, [(session.decider, stream)])).state(session.decider, stream)
    if not isinstance(state, Live):
        raise InvalidRefreshToken
    origin = SessionOrigin(user_id=state.user_id, seed=state.seed, audiences=state.audiences)
    ports.origins.remember(session_id, origin)
    return origin
