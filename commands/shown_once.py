"""A secret is shown once; and to who asks again with the same Idempotency-Key, for minutes and while it opens something (threats.md 4)."""

from uuid import UUID

from commands.context import Context, Repeat
from commands.ports import Place, Ports
from domain.errors import SecretNotShownAgain


async def keep_shown(answer_id: UUID, secret: str, ctx: Context, ports: Ports) -> None:
    """Before the append that makes it: a crash in between leaves what opens nothing, and is forgotten within minutes."""
    if ctx.repeat is not None:
        await ports.shown_secrets.keep(_place(answer_id, ctx.repeat), secret)


async def shown_before(answer_id: UUID, ctx: Context, ports: Ports) -> str:
    """Give the secret of an earlier answer. Raises SecretNotShownAgain."""
    found = None if ctx.repeat is None else await ports.shown_secrets.find(_place(answer_id, ctx.repeat))
    if found is None:
        raise SecretNotShownAgain
    return found


def _place(answer_id: UUID, repeat: Repeat) -> Place:
    return Place(key=repeat.key, sealing=repeat.sealing, answer_id=answer_id)
