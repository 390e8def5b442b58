"""Where addresses have to be proved first, registering opens no account: it leaves a sealed row for a day, and a mail (threats.md 2).

Nothing here asks whether the address has an account; the mailer does, when it writes. So the answer, and the time it takes, are the same.
"""

from uuid import UUID

import msgspec
from msgspec import Struct

from commands.context import Context
from commands.login_names import normalise_email
from commands.mail_budgets import VERIFICATIONS, asked_by_anybody
from commands.open_account import check_account
from commands.ports import Letter, MailToken, MailTokenKind, Ports
from commands.register_user import RegisterUser, self_registered
from domain.errors import RegistrationClosed

PENDING_TTL = 86_400
"""Seconds a registration waits for its proof."""


class Begun(Struct, frozen=True, kw_only=True):
    """The mailbox learns the rest. Who sends `registration` along with the link's token keeps the password they chose here."""

    registration: str
    status: str = "proof_required"

    def __repr__(self) -> str:
        return "Begun(...)"


class Pending(Struct, frozen=True, kw_only=True):
    """What a registration left. The password is hashed already; all of it is sealed while it waits."""

    email: str
    username: str | None
    name: str | None
    encoded: str

    def __repr__(self) -> str:
        return "Pending(...)"


async def begin_registration(command: RegisterUser, ctx: Context, ports: Ports) -> Begun:
    """Raises RegistrationClosed, InvalidEmail, InvalidUsername, PasswordUnacceptable, Overloaded."""
    if ports.policy.registration != "open":
        raise RegistrationClosed
    await check_account(self_registered(command, ports), ctx, ports)
    content = await _hashed(command, ctx, ports)
    pending_id = ports.random.uuid7()
    budget = asked_by_anybody(VERIFICATIONS, normalise_email(command.email), ctx)
    await ports.mailbox.hold(pending_id, content, Letter.FINISH_REGISTRATION, to=command.email, budgets=budget, keep_s=PENDING_TTL)
    return Begun(registration=browser_token(pending_id, ports))


async def _hashed(command: RegisterUser, ctx: Context, ports: Ports) -> str:
    encoded = await ports.hasher.hash(command.password, network=ctx.network)
    pending = Pending(email=command.email, username=command.username, name=command.name, encoded=encoded)
    return msgspec.json.encode(pending).decode()


def browser_token(pending_id: UUID, ports: Ports) -> str:
    """Give what tells the browser that asked from others that have the link."""
    return ports.mail_tokens.make(MailToken(kind=MailTokenKind.BROWSER, subject=pending_id, about=pending_id, expires_at=0))


def is_browser_of(registration: str, pending_id: UUID, ports: Ports) -> bool:
    shown = ports.mail_tokens.read(registration)
    return shown is not None and shown.kind is MailTokenKind.BROWSER and shown.subject == pending_id
