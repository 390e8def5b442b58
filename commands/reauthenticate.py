"""Prove who is there, again, on the same session. Only the token this returns carries the fresh time (threats.md 5)."""

from msgspec import Struct

from commands.context import Context
from commands.ports import Ports
from commands.prove_password import prove_password
from commands.register_user import PasswordText
from commands.revoke_session import required
from commands.standing import require_standing, standing_reads
from commands.token_answer import access_token_for
from commands.transact import Done, Transaction, transact
from domain import session
from domain.errors import InvalidCredentials
from domain.session import Live
from domain.session_events import AuthMethod
from domain.user import Account

_SHOWN = (AuthMethod.PASSWORD,)


class Reauthenticate(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    password: PasswordText

    def __repr__(self) -> str:
        return "Reauthenticate(...)"


class Reauthenticated(Struct, frozen=True, kw_only=True):
    access_token: str
    expires_in: int

    def __repr__(self) -> str:
        return "Reauthenticated(...)"


async def reauthenticate(command: Reauthenticate, ctx: Context, ports: Ports) -> Done[Reauthenticated]:
    """Raises InvalidCredentials, SessionEnded, Overloaded."""
    principal = required(ctx)
    account = await prove_password(command.password, principal, ctx, ports)
    stream = session.stream(principal.session_id)

    def decide(tx: Transaction) -> tuple[Live, Account]:
        live, now = require_standing(tx, principal)
        if now.password_version != account.password_version:
            raise InvalidCredentials
        events = session.reauthenticate(live, methods=_SHOWN, at=tx.at)
        return session.live(tx.record(session.decider, stream, events)), now

    done = await transact(ports, ctx, standing_reads(principal), decide)
    live, now = done.result
    token, expires_in = await access_token_for(live, now, ports, audience=principal.audience, auth_time=done.at, at=done.at, methods=_SHOWN)
    answer = Reauthenticated(access_token=token, expires_in=expires_in)
    return Done(result=answer, versions=done.versions, at=done.at, appended=done.appended)
