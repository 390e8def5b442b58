"""An administrator has looked into a suspicious session; its owner says what a device is called."""

from enum import StrEnum

from msgspec import UNSET, Struct, UnsetType

from commands.authority import Authority, acting_on
from commands.context import Context
from commands.ports import Ports
from commands.register_user import NameText
from commands.revoke_session import required
from commands.transact import Done, Read, Transaction, transact
from domain import session, session_review, user
from domain.errors import NoSuchSession
from domain.event import SealClass
from domain.ids import SessionId, UserId
from domain.session_state import Absent, Forgotten
from domain.suspicion import Review


class Looked(StrEnum):
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class ReviewSession(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    user_id: UserId
    session_id: SessionId
    review: Looked


class NameDevice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Null takes the name away; without it nothing changes."""

    device_name: NameText | UnsetType | None = UNSET

    def __repr__(self) -> str:
        return "NameDevice(...)"


async def review_session(command: ReviewSession, ctx: Context, ports: Ports) -> Done[None]:
    """Raises NoSuchUser, NoSuchSession (also for one that is not suspicious), RightsExceeded."""
    of_session = session.stream(command.session_id)

    async def act(authority: Authority) -> Done[None]:
        reads: list[Read] = [(session.decider, of_session), *authority.reads]
        return await transact(ports, ctx, reads, lambda tx: decide(tx, authority))

    def decide(tx: Transaction, authority: Authority) -> None:
        authority.require(tx)
        state = tx.state(session.decider, of_session)
        if isinstance(state, Absent | Forgotten) or state.user_id != command.user_id:
            raise NoSuchSession
        tx.record(session.decider, of_session, session_review.review(state, review=Review(command.review), at=tx.at))

    return await acting_on(command.user_id, ctx, ports, act)


async def name_device(session_id: SessionId, command: NameDevice, ctx: Context, ports: Ports) -> Done[None]:
    """Raises NoSuchSession, for another's too; SessionEnded."""
    owner = required(ctx).user_id
    of_session, of_user = session.stream(session_id), user.stream(owner)
    fields = {"device_name": command.device_name} if isinstance(command.device_name, str) else {}
    sealed = await ports.vault.seal(subject=of_user, seal_class=SealClass.TELEMETRY, stream=of_session, fields=fields)

    def decide(tx: Transaction) -> None:
        state = tx.state(session.decider, of_session)
        named = session.name_device(state, owner=owner, device_name=sealed.get("device_name"), at=tx.at)
        if command.device_name is not UNSET:
            tx.record(session.decider, of_session, named)

    return await transact(ports, ctx, [(session.decider, of_session)], decide)
