"""A code goes to somebody's address: derived from an id, so that nothing is stored that would give it away (threats.md 12)."""

from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from commands.mail_budgets import codes
from commands.ports import Letter, Ports
from commands.read_profile import opened
from domain import user
from domain.account import Account
from domain.errors import MailLimited
from domain.factor_guard import MAILED_CODE_LIFE

SentTo = Annotated[str, Meta(description="The address it goes to, as much of it as tells its owner which.", examples=["a***@example.org"])]


class CodeSent(Struct, frozen=True, kw_only=True):
    """A code is on its way. It is good for `expires_in` seconds, which sending it again does not prolong."""

    sent_to: SentTo
    expires_in: int = MAILED_CODE_LIFE

    def __repr__(self) -> str:
        return "CodeSent(...)"


async def send_code(letter: Letter, code_id: UUID, account: Account, ports: Ports, *, asker: UUID | None) -> CodeSent:
    """Have it written to the account's address. `asker`: the known device or the session that asks.

    Who is known has a budget of their own: whoever knows the password uses up nothing of it. Raises MailLimited.
    """
    budgets = codes(f"{account.user_id}:{asker or 'stranger'}", code_id)
    wait_s = await ports.mailbox.ask(letter, to=account.user_id, about=code_id, budgets=budgets, keep_s=MAILED_CODE_LIFE)
    if wait_s:
        raise MailLimited(wait_s)
    return CodeSent(sent_to=await masked_address(account, ports))


async def masked_address(account: Account, ports: Ports) -> str:
    """Give enough of an address for its owner to know which; the mask has one width, whatever it hides."""
    address = await opened(account.email, user.stream(account.user_id), "email", ports.vault) or ""
    name, _, domain = address.rpartition("@")
    return f"{name[:1]}***@{domain}"
