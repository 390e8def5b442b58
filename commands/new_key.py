"""A new API key, or an old one's new secret: as it is drawn, listed and shown."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from commands.api_key_text import is_genuine, new_key_text, read_key_text
from commands.authority import caller_reads, require_within
from commands.context import Context
from commands.found_keys import found_key, of_service, service_reads
from commands.ports import Ports
from commands.shown_once import keep_shown, shown_before
from commands.transact import Done, Transaction, read_states
from domain import api_key, key_owner
from domain.errors import KeyLifeTooLong, SecretNotShownAgain
from domain.ids import KeyId, StreamName
from domain.secret_text import SECRET_BYTES

Ttl = Annotated[int, Meta(ge=60, le=3_660 * 86_400, description="Seconds until it ends; by default as the settings say.")]


class NewApiKey(Struct, frozen=True, kw_only=True):
    """A new key. It cannot be shown again."""

    key_id: KeyId
    api_key: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"NewApiKey(key_id={self.key_id})"


class MadeKey(Struct, frozen=True, kw_only=True):
    """An answer without its secret, which is what is kept of it."""

    key_id: KeyId
    answer_id: UUID
    expires_at: datetime


class DrawnKey(Struct, frozen=True, kw_only=True):
    """The text of a key that is going to be one."""

    answer_id: UUID
    text: str

    def __repr__(self) -> str:
        return f"DrawnKey(answer_id={self.answer_id})"


async def draw_key(key_id: KeyId, ctx: Context, ports: Ports) -> DrawnKey:
    """Give the key a new secret, kept for who asks again with the same Idempotency-Key."""
    drawn = DrawnKey(answer_id=ports.random.uuid7(), text=new_key_text(key_id, ports.random.bytes(SECRET_BYTES), ports))
    await keep_shown(drawn.answer_id, drawn.text, ctx, ports)
    return drawn


async def shown(done: Done[MadeKey], drawn: DrawnKey, ctx: Context, ports: Ports) -> Done[NewApiKey]:
    """Answer with the key that was drawn; or, where another request with the same Idempotency-Key was first, with that one's."""
    made = done.result
    if made.answer_id != drawn.answer_id:
        return await shown_again(done, ctx, ports)
    answer = NewApiKey(key_id=made.key_id, api_key=drawn.text, expires_at=made.expires_at)
    return Done(result=answer, versions=done.versions, at=done.at, appended=done.appended)


async def shown_again(first: Done[MadeKey], ctx: Context, ports: Ports) -> Done[NewApiKey]:
    """Answer as the first time, to whom it could still be given, while the key opens something.

    Raises SecretNotShownAgain, RightsExceeded.
    """
    made, stream = first.result, api_key.stream(first.result.key_id)
    text = await shown_before(made.answer_id, ctx, ports)
    client_id = (await found_key(made.key_id, ports)).client_id
    tx = await read_states(ports, [(api_key.decider, stream), *service_reads(client_id), *caller_reads(ctx)])
    state, presented = tx.state(api_key.decider, stream), read_key_text(text, ports.policy.key_environment)
    if presented is None or not isinstance(state, api_key.Live) or tx.at >= state.expires_at:
        raise SecretNotShownAgain
    require_within((*state.permissions, *of_service(tx, client_id)), ctx, tx)
    if not is_genuine(presented, state, ports, at=tx.at):
        raise SecretNotShownAgain
    return Done(result=NewApiKey(key_id=made.key_id, api_key=text, expires_at=made.expires_at), versions=first.versions, appended=False)


def list_key(tx: Transaction, of_owner: StreamName, key: api_key.Live) -> None:
    state = tx.state(key_owner.decider, of_owner)
    tx.record(key_owner.decider, of_owner, key_owner.add(state, key_id=key.key_id, expires_at=key.expires_at, at=tx.at))


def life(wanted: int | None, ports: Ports) -> int:
    """Give a key's life in seconds. Raises KeyLifeTooLong: nothing is for ever."""
    ttl = min(ports.policy.api_key_ttl, ports.policy.api_key_max_ttl) if wanted is None else wanted
    if ttl > ports.policy.api_key_max_ttl:
        raise KeyLifeTooLong
    return ttl
