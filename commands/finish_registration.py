"""The proof of a registration that waited for it: now there is an account, with an address that is known to be its owner's."""

from datetime import datetime
from uuid import UUID

import msgspec

from commands.begin_registration import PENDING_TTL, Pending, is_browser_of
from commands.context import Context
from commands.open_account import NewAccount, Registered, StoredHash, open_account
from commands.ports import MailToken, MailTokenKind, Ports
from commands.transact import Transaction
from domain import mailbox_proof, user
from domain.errors import MailTokenInvalid, NewPasswordRequired
from domain.ids import RoleName, UserId
from domain.user_events import RegisteredBy


async def finish_registration(
    token: MailToken, *, password: str | None, registration: str | None, username: str | None, ctx: Context, ports: Ports
) -> Registered:
    """Open the account. The password typed at registration holds only for the browser that typed it: else a new one is needed.

    Whoever registered another's address has the one secret, and its owner the other. Raises MailTokenInvalid, NewPasswordRequired,
    EmailTaken, UsernameTaken, PasswordUnacceptable, Overloaded.
    """
    content = await ports.mailbox.pending(token.subject)
    if content is None:
        raise MailTokenInvalid
    pending = msgspec.json.decode(content, type=Pending)
    own = registration is not None and is_browser_of(registration, token.subject, ports)
    if password is None and not own:
        raise NewPasswordRequired
    wanted = NewAccount(
        email=pending.email,
        password=StoredHash(pending.encoded) if password is None else password,
        username=username or pending.username,
        name=pending.name,
        roles=(RoleName(ports.policy.default_role),),
        registered_by=RegisteredBy.SELF,
    )
    done = await open_account(wanted, ctx, ports, decide_alongside=_proved)
    await ports.mailbox.forget_pending(token.subject)  # where we die before it, the address is taken, and the row goes with its day
    return done.result


def _proved(tx: Transaction, user_id: UserId) -> None:
    of_user = user.stream(user_id)
    tx.record(user.decider, of_user, mailbox_proof.prove_new(tx.state(user.decider, of_user), at=tx.at))


def pending_token(pending_id: UUID, *, asked_at: datetime, ports: Ports) -> str:
    expires_at = int(asked_at.timestamp()) + PENDING_TTL
    return ports.mail_tokens.make(MailToken(kind=MailTokenKind.PENDING, subject=pending_id, about=pending_id, expires_at=expires_at))
