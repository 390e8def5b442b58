"""End an API key: by its owner, by whoever may act on its owner, or by its value, wherever that was found."""

from msgspec import Struct

from commands.api_key_text import is_genuine, read_key_text
from commands.authority import Authority, acting_on, caller_reads, require_within
from commands.context import Context
from commands.found_keys import found_key, of_service, owned_key, owner_stream, service_reads
from commands.keys_of_owner import end_key
from commands.ports import Ports
from commands.transact import Done, Read, Transaction, read_states, transact
from domain import api_key, key_owner
from domain.api_key import KeyRevocation
from domain.ids import KeyId, UserId


class RevokeApiKey(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    key_id: KeyId
    reason: KeyRevocation = KeyRevocation.BY_OWNER


async def revoke_own_key(command: RevokeApiKey, owner: UserId, ctx: Context, ports: Ports) -> Done[None]:
    """It opens nothing from now on. Only a key of the owner's is found. Raises NoSuchApiKey."""
    now = await found_key(command.key_id, ports)
    stream, of_owner = api_key.stream(command.key_id), owner_stream(now.user_id, now.client_id)

    def decide(tx: Transaction) -> None:
        owned_key(tx.state(api_key.decider, stream), owner)
        end_key(tx, of_owner, command.key_id, command.reason)

    return await transact(ports, ctx, [(api_key.decider, stream), (key_owner.decider, of_owner)], decide)


async def revoke_api_key(command: RevokeApiKey, ctx: Context, ports: Ports) -> Done[None]:
    """End anybody's, by who may do all that its owner may (threats.md 6). Raises NoSuchApiKey, RightsExceeded."""
    now = await found_key(command.key_id, ports)
    if now.user_id is not None:
        return await acting_on(now.user_id, ctx, ports, lambda authority: _end_persons(command, now, authority, ports))
    stream, of_owner = api_key.stream(command.key_id), owner_stream(None, now.client_id)

    def decide(tx: Transaction) -> None:
        state = tx.state(api_key.decider, stream)
        of_key = state.permissions if isinstance(state, api_key.Live) else ()
        require_within((*of_key, *of_service(tx, now.client_id)), ctx, tx)
        end_key(tx, of_owner, command.key_id, command.reason)

    reads: list[Read] = [(api_key.decider, stream), (key_owner.decider, of_owner), *service_reads(now.client_id)]
    return await transact(ports, ctx, [*reads, *caller_reads(ctx)], decide)


async def _end_persons(command: RevokeApiKey, now: api_key.Live | api_key.Revoked, authority: Authority, ports: Ports) -> Done[None]:
    stream, of_owner = api_key.stream(command.key_id), owner_stream(now.user_id, None)

    def decide(tx: Transaction) -> None:
        authority.require(tx)
        end_key(tx, of_owner, command.key_id, command.reason)

    reads: list[Read] = [(api_key.decider, stream), (key_owner.decider, of_owner), *authority.reads]
    return await transact(ports, authority.ctx, reads, decide)


async def revoke_leaked_key(text: str, ctx: Context, ports: Ports, *, reason: KeyRevocation = KeyRevocation.LEAKED) -> None:
    """Whoever holds a key may end it: they could do worse. What is no genuine live key changes nothing, and is told the same."""
    shown = read_key_text(text, ports.policy.key_environment)
    if shown is None:
        return
    stream = api_key.stream(shown.key_id)
    tx = await read_states(ports, [(api_key.decider, stream)])
    state = tx.state(api_key.decider, stream)
    if not isinstance(state, api_key.Live) or not is_genuine(shown, state, ports, at=tx.at):
        return
    of_owner = owner_stream(state.user_id, state.client_id)
    reads: list[Read] = [(api_key.decider, stream), (key_owner.decider, of_owner)]
    await transact(ports, ctx, reads, lambda tx: end_key(tx, of_owner, shown.key_id, reason))
