"""From an API key to who calls with it: the key, its owner and the owner's rights, on the truth of the heads."""

from collections.abc import Sequence

from msgspec import Struct

from commands.api_key_text import is_genuine, read_key_text
from commands.audience_heads import audience_in, audience_reads
from commands.context import Machine
from commands.key_origins import KeyOrigin
from commands.ports import Ports
from commands.transact import Read, Transaction, read_states
from domain import api_key, client, key_bounds, role, user
from domain.client import Registered
from domain.errors import AudienceNotAllowed, InvalidToken
from domain.ids import KeyId, RoleName
from domain.permission import Permission, shared
from domain.user import Active

ATTEMPTS = 4


class HeldKey(Struct, frozen=True, kw_only=True):
    """A genuine, live key and what it gives now."""

    machine: Machine
    key: api_key.Live


async def identify_key(text: str, ports: Ports, *, alongside: Sequence[Read] = ()) -> tuple[HeldKey, Transaction]:
    """Find an API key live, with what it gives now: never more than its owner may do. Raises InvalidToken, the same whatever is wrong.

    `alongside` is read in the same moment, for whoever asks more.
    """
    shown = read_key_text(text, ports.policy.key_environment)
    if shown is None:
        raise InvalidToken
    origin = ports.key_origins.recall(shown.key_id)
    for _ in range(ATTEMPTS):
        tx = await read_states(ports, [*_reads(shown.key_id, origin), *alongside])
        state = tx.state(api_key.decider, api_key.stream(shown.key_id))
        if not isinstance(state, api_key.Live) or tx.at >= state.expires_at or not is_genuine(shown, state, ports, at=tx.at):
            raise InvalidToken
        found = _origin(state, origin, tx)
        if found == origin:
            ports.last_used.note(api_key.stream(shown.key_id), at=tx.at)
            return HeldKey(machine=_machine(state, found, tx), key=state), tx
        origin = found
        ports.key_origins.remember(shown.key_id, found)
    raise InvalidToken


def key_rights(machine: Machine, tx: Transaction) -> Sequence[Permission]:
    """Give what the key gives now; reads have to hold `key_reads`. Raises InvalidToken once key or owner are gone."""
    if machine.key_id is None:
        raise InvalidToken
    state = tx.state(api_key.decider, api_key.stream(machine.key_id))
    if not isinstance(state, api_key.Live) or tx.at >= state.expires_at:
        raise InvalidToken
    return shared(state.permissions, _of_owner(state, machine.roles, tx))


def key_reads(machine: Machine) -> list[Read]:
    """What `key_rights` needs to be read."""
    if machine.key_id is None:
        return []
    of = KeyOrigin(user_id=machine.user_id, client_id=machine.client_id, audience=machine.audience, roles=machine.roles)
    return _reads(machine.key_id, of)


def _reads(key_id: KeyId, origin: KeyOrigin | None) -> list[Read]:
    reads: list[Read] = [(api_key.decider, api_key.stream(key_id)), *audience_reads([] if origin is None else [origin.audience])]
    if origin is not None and origin.client_id is not None:
        reads.append((client.decider, client.stream(origin.client_id)))
    if origin is not None and origin.user_id is not None:
        reads.append((user.decider, user.stream(origin.user_id)))
        reads += [(role.decider, role.stream(name)) for name in origin.roles]
    return reads


def _origin(state: api_key.Live, known: KeyOrigin | None, tx: Transaction) -> KeyOrigin:
    """Where the owner's roles are other ones than those read, what they give has not been read yet."""
    roles: tuple[RoleName, ...] = ()
    if known is not None and state.user_id is not None:
        who = tx.state(user.decider, user.stream(state.user_id))
        roles = who.account.roles if isinstance(who, Active) else known.roles
    return KeyOrigin(user_id=state.user_id, client_id=state.client_id, audience=state.audience, roles=roles)


def _machine(state: api_key.Live, origin: KeyOrigin, tx: Transaction) -> Machine:
    return Machine(
        client_id=origin.client_id,
        user_id=origin.user_id,
        key_id=state.key_id,
        audience=state.audience,
        roles=origin.roles,
        permissions=shared(state.permissions, _of_owner(state, origin.roles, tx)),
    )


def _of_owner(state: api_key.Live, roles: Sequence[RoleName], tx: Transaction) -> Sequence[Permission]:
    """Give what the owner may do at the key's audience now. Raises InvalidToken where they may do nothing at all there any more."""
    asked = audience_in(tx, state.audience)
    try:
        if state.client_id is not None:
            account = tx.state(client.decider, client.stream(state.client_id))
            if not isinstance(account, Registered) or not account.enabled:
                raise InvalidToken
            return key_bounds.of_service(
                asked, state.audience, client_id=state.client_id, audiences=account.audiences, permissions=account.permissions
            )
        who = None if state.user_id is None else tx.state(user.decider, user.stream(state.user_id))
        if not isinstance(who, Active):
            raise InvalidToken
        given = {name: role.gives(tx.state(role.decider, role.stream(name))) for name in who.account.roles if name in roles}
        return key_bounds.of_person(asked, state.audience, roles=who.account.roles, given=given)
    except AudienceNotAllowed as not_any_more:
        raise InvalidToken from not_any_more
