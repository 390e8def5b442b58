"""API keys as those who turn and end them find them: the key, the list it is on, and what its service account may do."""

from collections.abc import Sequence

from commands.ports import Ports
from commands.transact import Read, Transaction, read_states
from domain import api_key, client, key_owner
from domain.errors import NoSuchApiKey
from domain.ids import ClientId, KeyId, StreamName, UserId
from domain.permission import Permission


async def found_key(key_id: KeyId, ports: Ports) -> api_key.Live | api_key.Revoked:
    """Raises NoSuchApiKey."""
    stream = api_key.stream(key_id)
    state = (await read_states(ports, [(api_key.decider, stream)])).state(api_key.decider, stream)
    if isinstance(state, api_key.Absent | api_key.Forgotten):
        raise NoSuchApiKey
    return state


def owned_key(state: api_key.ApiKey, owner: UserId | None) -> api_key.ApiKey:
    """Another's key is as absent as one that never was (threats.md 20). Raises NoSuchApiKey."""
    if owner is not None and (isinstance(state, api_key.Absent | api_key.Forgotten) or state.user_id != owner):
        raise NoSuchApiKey
    return state


def owner_stream(user_id: UserId | None, client_id: ClientId | None) -> StreamName:
    return key_owner.stream(of_one(client_id)) if user_id is None else key_owner.stream(user_id)


def of_one(client_id: ClientId | None) -> ClientId:
    """Narrow the service account of a key that is no person's. Raises NoSuchApiKey."""
    if client_id is None:
        raise NoSuchApiKey
    return client_id


def service_reads(client_id: ClientId | None) -> list[Read]:
    """What `of_service` needs to be read."""
    return [] if client_id is None else [(client.decider, client.stream(client_id))]


def of_service(tx: Transaction, client_id: ClientId | None) -> Sequence[Permission]:
    """Give what the service account may do: nobody acts on its keys who may not do it all (threats.md 6). One that ended may nothing."""
    state = None if client_id is None else tx.state(client.decider, client.stream(client_id))
    return state.permissions if isinstance(state, client.Registered) else ()
