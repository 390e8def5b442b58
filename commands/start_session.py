"""From a proven identity to a live session with its first token."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from commands.audiences import audience_in, audience_reads
from commands.context import Context
from commands.ports import Heads, Ports, StoredHead
from commands.session_origins import SessionOrigin
from commands.token_answer import OWN_RULES, SignedIn, access_ttl, token_answer
from commands.transact import Read, Transaction, transact
from domain import session, user
from domain.audience import Rules, for_user
from domain.errors import InvalidCredentials
from domain.event import SealClass, Sealed
from domain.ids import AudienceName, ClientId, SessionId, StreamName
from domain.session import Live
from domain.session_events import AuthMethod, SessionEvent
from domain.user import Account, Active

FIRST_PARTY = ClientId("minos")


async def start_session(
    account: Account, seen: Heads, ctx: Context, ports: Ports, *, audience: AudienceName, device_id: UUID, device_name: str | None
) -> SignedIn:
    """Begin a session under the account as it was when the password was verified; `seen` is the user's head of then, and after it
    the audience's where that is not Minos itself.

    The append passes only if that head has not moved. If it has, the decision is taken again on what it is now: raises
    InvalidCredentials when the password or the account's standing changed, AudienceNotAllowed for an audience that is not for them.
    """
    session_id = SessionId(ports.random.uuid7())
    seed = ports.random.bytes(32)
    of_user, of_session = user.stream(account.user_id), session.stream(session_id)
    telemetry = await _sealed_origin(of_user, of_session, ctx, ports, device_name=device_name)

    def decide(tx: Transaction) -> tuple[Live, Account, Rules]:
        now = tx.state(user.decider, of_user)
        if not isinstance(now, Active) or now.account.password_version != account.password_version:
            raise InvalidCredentials
        rules = for_user(audience_in(tx, audience), now.account.roles)
        started = session.start(
            tx.state(session.decider, of_session),
            session_id=session_id,
            user_id=account.user_id,
            token_epoch=now.account.token_epoch,
            audiences=(audience,),
            client_id=FIRST_PARTY,
            amr=(AuthMethod.PASSWORD,),
            seed=seed,
            idle_ttl=ports.policy.refresh_idle_ttl,
            absolute_ttl=ports.policy.refresh_absolute_ttl,
            **telemetry,
            at=tx.at,
        )
        begun = tx.record(session.decider, of_session, started)
        issued = tx.record(session.decider, of_session, issue_on(begun, audience, ports, tx, rules=rules))
        return session.live(issued), now.account, rules

    reads: list[Read] = [(session.decider, of_session), (user.decider, of_user)]
    glance, known = audience_reads([audience]), _beside_unwritten(of_session, seen)
    live, current, rules = (await transact(ports, ctx, reads, decide, glance=glance, seen=known)).result
    ports.origins.remember(session_id, SessionOrigin(user_id=account.user_id, seed=seed, audiences=live.audiences))
    device_token = ports.mint.device_token(user_id=account.user_id, epoch=current.token_epoch, device_id=device_id)
    return await token_answer(live, current, ports, at=live.rotated_at, device_token=device_token, rules=rules)


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
    state: session.Session, audience: AudienceName, ports: Ports, tx: Transaction, *, rules: Rules = OWN_RULES
) -> Sequence[SessionEvent]:
    """Decide the next token of a session by today's settings and the audience's rules."""
    return session.issue(
        state,
        audience=audience,
        key_version=ports.mint.refresh_key_version,
        access_ttl=access_ttl(rules, ports),
        at=tx.at,
    )
