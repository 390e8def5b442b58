"""From a proven identity to a live session with its first token."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from commands.audience_heads import audience_in, audience_reads
from commands.context import Context
from commands.factor_policy_head import POLICY_READ
from commands.ports import Heads, Ports, StoredHead
from commands.session_origins import SessionOrigin
from commands.token_answer import OWN_RULES, SignedIn, access_ttl, token_answer
from commands.transact import Read, Transaction, transact
from domain import factors, session, session_end, session_review, session_state, user
from domain.account import Account
from domain.audience import Rules, for_user
from domain.errors import InvalidChallenge, InvalidCredentials, StrongerFactorRequired
from domain.event import SealClass, Sealed
from domain.factor_policy import is_enough
from domain.ids import AudienceName, ClientId, SessionId, StreamName
from domain.session_events import AuthMethod, SessionEvent
from domain.session_state import Live
from domain.suspicion import Signal
from domain.user import Active

FIRST_PARTY = ClientId("minos")


@dataclass(frozen=True, slots=True)
class Entry:
    """Who comes in, where to, on which device, and what they have shown for it."""

    account: Account
    """As it was when they showed it."""
    session_id: SessionId
    audience: AudienceName
    device_id: UUID
    device_name: str | None
    methods: tuple[AuthMethod, ...]
    signals: tuple[Signal, ...] = ()
    """What is suspicious about it."""


async def start_session(
    entry: Entry, ctx: Context, ports: Ports, *, seen: Heads | None = None, alongside: Callable[[Transaction], object] | None = None
) -> SignedIn:
    """Begin a session under the account as it was when it was proven; `alongside` is decided in the same append, on user and factors.
    `seen`, where they were read already, are the heads of then: the user's, the factors', the policy's, and the audience's where
    that is not Minos itself.

    Every session begins here. The append passes only if no head has moved; if one has, the decision is taken again on what it is
    now: raises InvalidCredentials when the password or the account's standing changed, InvalidChallenge when the session has begun,
    AudienceNotAllowed for an audience that is not for them, StrongerFactorRequired where what was shown is not, or no longer, enough.
    """
    of_user, of_session = user.stream(entry.account.user_id), session.stream(entry.session_id)
    seed = ports.random.bytes(32)
    older = await _older_sessions(entry, ports)
    telemetry = await _sealed_origin(of_user, of_session, ctx, ports, device_name=entry.device_name)

    def decide(tx: Transaction) -> tuple[Live, Account, Rules]:
        account, rules = _welcome(tx, entry)
        if alongside is not None:
            alongside(tx)
        begun = tx.record(session.decider, of_session, _started(entry, account, seed, telemetry, ports, at=tx.at))
        _end_surplus(tx, older, account, ports)
        begun = tx.record(session.decider, of_session, session_review.flag(begun, signals=entry.signals, at=tx.at))
        issued = tx.record(session.decider, of_session, issue_on(begun, entry.audience, ports, tx, rules=rules))
        return session.live(issued), account, rules

    of_factors: Read = (factors.decider, factors.stream(entry.account.user_id))
    reads: list[Read] = [(session.decider, of_session), (user.decider, of_user), of_factors, *older]
    glance = [POLICY_READ, *audience_reads([entry.audience])]
    known = None if seen is None or older else _beside_unwritten(of_session, seen)
    done = await transact(ports, ctx, reads, decide, glance=glance, seen=known)
    live, current, rules = done.result
    ports.origins.remember(entry.session_id, SessionOrigin(user_id=live.user_id, seed=seed, audiences=live.audiences))
    device_token = ports.mint.device_token(user_id=live.user_id, epoch=current.token_epoch, device_id=entry.device_id)
    version = done.versions.get(of_session, 0)
    return await token_answer(live, current, ports, version=version, at=live.rotated_at, device_token=device_token, rules=rules)


def _welcome(tx: Transaction, entry: Entry) -> tuple[Account, Rules]:
    """Give the account as it is now, and the rules of where it goes. Raises as `start_session` does."""
    now = tx.state(user.decider, user.stream(entry.account.user_id))
    if not isinstance(now, Active) or now.account.password_version != entry.account.password_version:
        raise InvalidCredentials
    rules = for_user(audience_in(tx, entry.audience), now.account.roles)
    if not isinstance(tx.state(session.decider, session.stream(entry.session_id)), session_state.Absent):
        raise InvalidChallenge
    enrolled = tx.state(factors.decider, factors.stream(entry.account.user_id)).enrolled
    wanted = tx.state(*POLICY_READ).asks(now.account.roles, entry.audience)
    if not is_enough(entry.methods, wanted, enrolled=enrolled):
        raise StrongerFactorRequired
    return now.account, rules


def _started(
    entry: Entry, account: Account, seed: bytes, telemetry: Mapping[str, Sealed | None], ports: Ports, *, at: datetime
) -> Sequence[SessionEvent]:
    return session.start(
        session_state.Absent(),
        session_id=entry.session_id,
        user_id=account.user_id,
        token_epoch=account.token_epoch,
        audiences=(entry.audience,),
        client_id=FIRST_PARTY,
        amr=entry.methods,
        seed=seed,
        idle_ttl=ports.policy.refresh_idle_ttl,
        absolute_ttl=ports.policy.refresh_absolute_ttl,
        **telemetry,
        at=at,
    )


async def _older_sessions(entry: Entry, ports: Ports) -> list[Read]:
    """Give what may have to end for this one; nothing is asked where sessions are not limited."""
    if not ports.policy.sessions_per_user or ports.open_sessions is None:
        return []
    known = await ports.open_sessions.of(entry.account.user_id, entry.audience)
    return [(session.decider, session.stream(each)) for each in known]


def _end_surplus(tx: Transaction, older: Sequence[Read], account: Account, ports: Ports) -> None:
    states = [tx.state(*each) for each in older]
    ended = session_end.end_surplus(states, limit=ports.policy.sessions_per_user, user_epoch=account.token_epoch, at=tx.at)
    for each, events in zip(older, ended, strict=True):
        tx.record(*each, events)


def _beside_unwritten(stream: StreamName, seen: Heads) -> Heads:
    """Put a stream that cannot be there yet, its id having just been drawn, before heads that were read."""
    return Heads(heads=(StoredHead(stream=stream, version=0, state=None, state_version=0), *seen.heads), at=seen.at)


async def _sealed_origin(
    of_user: StreamName, of_session: StreamName, ctx: Context, ports: Ports, *, device_name: str | None
) -> Mapping[str, Sealed | None]:
    """Seal where from and on what, as far as it is known."""
    told = {"network": ctx.network, "user_agent": ctx.user_agent, "device_name": device_name}
    fields = {field: text for field, text in told.items() if text is not None}
    sealed = await ports.vault.seal(subject=of_user, seal_class=SealClass.TELEMETRY, stream=of_session, fields=fields)
    return {field: sealed.get(field) for field in told}


def issue_on(
    state: session_state.Session, audience: AudienceName, ports: Ports, tx: Transaction, *, rules: Rules = OWN_RULES
) -> Sequence[SessionEvent]:
    """Decide the next token of a session by today's settings and the audience's rules."""
    return session.issue(
        state,
        audience=audience,
        key_version=ports.mint.refresh_key_version,
        access_ttl=access_ttl(rules, ports),
        at=tx.at,
    )
