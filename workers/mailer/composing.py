"""From a row of the ledger to a mail: who it goes to and what it says, looked up when it is sent. One table."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from adapters.mail.message import Mail
from commands.login_names import mailable
from commands.ports import Ports
from commands.ports.mail import Letter
from commands.read_profile import opened
from commands.transact import read_states
from domain import user
from domain.ids import UserId
from domain.user import Absent, Account
from workers.mailer.ledger import Due, facts_of
from workers.mailer.wording import write


@dataclass(frozen=True, slots=True)
class Desk:
    """What a mailer writes with."""

    ports: Ports
    sender: str
    language: str
    link_url: str
    """Where links lead: a setting, never anything a request said."""


@dataclass(frozen=True, slots=True)
class Addressed:
    """A letter about to be written. `page` and `token` make its link."""

    to: str
    values: Mapping[str, str]


Composer = Callable[[Due, Desk], Awaitable[Addressed | None]]


async def compose(due: Due, desk: Desk) -> Mail | None:
    """Write a mail; None where by now there is nobody to write to, or nothing to say. Raises StoreUnavailable, CannotUnwrap."""
    addressed = await COMPOSERS[Letter(due.letter)](due, desk)
    if addressed is None:
        return None
    worded = write(desk.language, due.letter, {"service": desk.ports.policy.service_name, **addressed.values})
    return Mail(
        mail_id=due.mail_id,
        to=mailable(addressed.to),
        sender=desk.sender,
        subject=worded.subject,
        text=worded.text,
        html=worded.html,
        language=desk.language,
        at=due.created_at,
    )


async def _notice(due: Due, desk: Desk) -> Addressed | None:
    """To the account's address of now, about something that happened."""
    account = await _account(due, desk)
    to = None if account is None else await _address(account, desk)
    return None if to is None else Addressed(to, {"when": _when(facts_of(due).at)})


async def _account(due: Due, desk: Desk) -> Account | None:
    if due.user_id is None:
        return None
    of_user = user.stream(UserId(due.user_id))
    state = (await read_states(desk.ports, [(user.decider, of_user)])).state(user.decider, of_user)
    return None if isinstance(state, Absent) else state.account


async def _address(account: Account, desk: Desk) -> str | None:
    """None once it has been erased."""
    return await opened(account.email, user.stream(account.user_id), "email", desk.ports.vault)


def _when(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


COMPOSERS: Mapping[Letter, Composer] = {
    Letter.PASSWORD_CHANGED: _notice,
}
