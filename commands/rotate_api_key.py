"""Give an API key its next secret; the one before goes on for a while."""

from typing import Annotated

from msgspec import Meta, Struct

from commands.api_key_text import kept
from commands.authority import caller_reads, require_within
from commands.context import Context
from commands.found_keys import found_key, of_service, owned_key, owner_stream, service_reads
from commands.new_key import MadeKey, NewApiKey, Ttl, draw_key, life, list_key, shown, shown_again
from commands.ports import Ports
from commands.transact import Done, Read, Transaction, earlier_answer, transact
from domain import api_key, key_owner
from domain.errors import NoSuchApiKey
from domain.ids import KeyId, UserId

Overlap = Annotated[int, Meta(ge=0, le=30 * 86_400, description="Seconds that the secret before goes on.")]


class RotateApiKey(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    key_id: KeyId
    overlap: Overlap = 86_400
    expires_in: Ttl | None = None


async def rotate_api_key(command: RotateApiKey, ctx: Context, ports: Ports, *, owner: UserId | None = None) -> Done[NewApiKey]:
    """Give a key its next secret. With `owner`, only a key of theirs is found; without, only a service account's.

    Raises NoSuchApiKey, ApiKeyEnded, RightsExceeded, KeyLifeTooLong.
    """
    if (first := await earlier_answer(ports, ctx, MadeKey)) is not None:
        return await shown_again(first, ctx, ports)
    stream = api_key.stream(command.key_id)
    now = await found_key(command.key_id, ports)
    if owner is None and now.client_id is None:
        raise NoSuchApiKey  # a person's key is shown to nobody but them
    drawn = await draw_key(command.key_id, ctx, ports)
    of_owner, ttl = owner_stream(now.user_id, now.client_id), life(command.expires_in, ports)

    def decide(tx: Transaction) -> MadeKey:
        state = owned_key(tx.state(api_key.decider, stream), owner)
        current = api_key.live(state, at=tx.at)
        require_within((*current.permissions, *of_service(tx, now.client_id)), ctx, tx)
        events = api_key.rotate(current, secret=kept(command.key_id, drawn.text, ports), overlap=command.overlap, ttl=ttl, at=tx.at)
        turned = api_key.live(tx.record(api_key.decider, stream, events), at=tx.at)
        list_key(tx, of_owner, turned)
        return MadeKey(key_id=command.key_id, answer_id=drawn.answer_id, expires_at=turned.expires_at)

    reads: list[Read] = [(api_key.decider, stream), (key_owner.decider, of_owner), *service_reads(now.client_id)]
    done = await transact(ports, ctx, [*reads, *caller_reads(ctx)], decide, remember=MadeKey)
    return await shown(done, drawn, ctx, ports)
