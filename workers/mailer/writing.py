"""What a mailer writes with, and what it looks up to write: addresses are opened here, when a mail is sent."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from adapters.mailbox import MailBoxes
from commands.context import Context
from commands.ports import Ports
from commands.ports.mail import Letter
from commands.read_profile import opened
from commands.transact import Read, read_states
from domain import user
from domain.account import Account
from domain.ids import CorrelationId, UserId
from domain.locale import Locale
from domain.user import Absent, Deleted, Erased, Gone, User
from domain.user_events import DeleteReason
from workers.mailer.ledger import Due


@dataclass(frozen=True, slots=True)
class Desk:
    """What a mailer writes with."""

    ports: Ports
    boxes: MailBoxes
    sender: str
    language: str
    link_url: str
    """Where links lead: a setting, never anything a request said."""


@dataclass(frozen=True, slots=True)
class Addressed:
    """A letter about to be written. `page` and `token` make its link."""

    to: str
    values: Mapping[str, str] = field(repr=False)
    page: str = ""
    token: str = field(default="", repr=False)
    letter: Letter | None = None
    """Where it is another one than was asked for."""
    language: Locale | None = None
    """What its reader chose; else the installation's."""


Composer = Callable[[Due, Desk], Awaitable[Addressed | None]]


def asked_for(due: Due, desk: Desk) -> str | None:
    """Give the address somebody asked for a letter to; it may be nobody's here."""
    return None if due.address is None else desk.boxes.open(due.address, due.mail_id)


def context_of(desk: Desk) -> Context:
    return Context(correlation_id=CorrelationId(desk.ports.random.uuid7()), system="mailer")


async def account_about(due: Due, desk: Desk) -> Account | None:
    return None if due.user_id is None else await account_of(UserId(due.user_id), desk)


async def account_of(user_id: UserId, desk: Desk) -> Account | None:
    """None also for one whose address may be another's by now."""
    state = await state_of(user_id, desk)
    return None if isinstance(state, Absent | Gone | Erased) else state.account


async def state_of(user_id: UserId, desk: Desk) -> User:
    of_user: Read = (user.decider, user.stream(user_id))
    state: User = (await read_states(desk.ports, [of_user])).state(*of_user)
    return state


async def address_of(account: Account, desk: Desk) -> str | None:
    """None once it has been erased."""
    return await opened(account.email, user.stream(account.user_id), "email", desk.ports.vault)


def when(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


async def of_deleted(state: Deleted, desk: Desk) -> Addressed | None:
    """Of one that its owner had erased nobody says that it could come back."""
    to = await address_of(state.account, desk)
    values = {"when": when(state.deleted_at), "until": when(state.restorable_until)}
    letter = Letter.ERASURE_BEGUN if state.reason is DeleteReason.ERASURE else Letter.ACCOUNT_DELETED
    return None if to is None else Addressed(to, values, letter=letter, language=state.account.locale)
