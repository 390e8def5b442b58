"""Somebody has forgotten their password, or says so. Who has an account is found out by the mailer, never by whoever asks."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from commands.context import Context
from commands.login_names import normalise_email
from commands.mail_budgets import RESETS, asked_by_anybody
from commands.ports import Ports
from commands.ports.mail import Letter
from commands.register_user import EmailText
from commands.transact import Transaction, transact
from domain import password_reset, user
from domain.account import Account
from domain.claim import ClaimKind
from domain.ids import ResetId, UserId
from domain.password_reset import RESET_TTL, Asked
from domain.user import Active


class ForgotPassword(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    email: EmailText

    def __repr__(self) -> str:
        return "ForgotPassword(...)"


class Reset(Struct, frozen=True, kw_only=True):
    """What the mailbox is told: for whom, which asking, until when."""

    account: Account
    reset_id: ResetId
    expires_at: datetime


async def forgot_password(command: ForgotPassword, ctx: Context, ports: Ports) -> None:
    """Have a link sent if there is such an account, and say nothing either way. Raises InvalidEmail."""
    address = normalise_email(command.email)
    await ports.mailbox.ask(Letter.RESET_PASSWORD, to=address, budgets=asked_by_anybody(RESETS, address, ctx), keep_s=RESET_TTL)


async def begin_reset(address: str, asking: UUID, ctx: Context, ports: Ports) -> Reset | None:
    """Find whose address it is, and let this asking take the place of an earlier one; None where nobody's. Safe to repeat.

    The answer goes to the address as its owner spelled it, never as it was asked for.
    """
    found = await ports.store.find_holder(ports.macs.claim_candidates(ClaimKind.EMAIL, normalise_email(address)))
    if found.holder is None:
        return None
    user_id, reset_id = UserId(found.holder), ResetId(asking)
    of_user, of_reset = user.stream(user_id), password_reset.stream(user_id)

    def decide(tx: Transaction) -> Reset | None:
        who = tx.state(user.decider, of_user)
        if not isinstance(who, Active) or not who.account.recoverable_by_mail:
            return None
        asked = password_reset.ask(tx.state(password_reset.decider, of_reset), who.account, reset_id=reset_id, at=tx.at)
        after = tx.record(password_reset.decider, of_reset, asked)
        if (
            not isinstance(after, Asked) or after.reset_id != reset_id
        ):  # used already, and only its mark was lost; or a newer took its place
            return None
        return Reset(account=who.account, reset_id=reset_id, expires_at=after.expires_at)

    done = await transact(ports, ctx, [(password_reset.decider, of_reset)], decide, glance=[(user.decider, of_user)])
    return done.result
