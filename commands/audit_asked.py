"""Write down that somebody asks about the past, before they are answered."""

from commands.authority import caller_reads, require_within
from commands.context import Context
from commands.ports import Ports
from commands.transact import Done, Read, Transaction, transact
from domain import audit
from domain.audit import Matter, Question

NOTHING = Matter()


async def record_asked(question: Question, ctx: Context, ports: Ports, about: Matter = NOTHING) -> Done[None]:
    """Append it; who is answered nothing where it cannot be appended has asked nothing.

    Uses up an action token that was shown. Raises PermissionDenied for a caller who lost a right since, InvalidToken, SessionEnded,
    StoreUnavailable.
    """
    read: Read = (audit.decider, audit.stream(_asker(ctx)))

    def decide(tx: Transaction) -> None:
        require_within((), ctx, tx)
        tx.record(*read, audit.note(tx.state(*read), question=question, about=about, at=tx.at))

    return await transact(ports, ctx, [*caller_reads(ctx), read], decide)


def _asker(ctx: Context) -> str | None:
    if ctx.principal is not None:
        return str(ctx.principal.user_id)
    if ctx.machine is not None:
        return ctx.machine.client_id if ctx.machine.key_id is None else str(ctx.machine.key_id)
    return None
