"""An owner, or an administrator, changes what an account says of its person; who may write what is registered (`MINOS_ATTRIBUTES_FILE`)."""

from collections.abc import Awaitable, Callable
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from commands.authority import Authority, acting_on
from commands.context import Context
from commands.ports import Ports
from commands.read_profile import open_attributes
from commands.revoke_session import required
from commands.standing import require_standing, standing_reads
from commands.transact import Done, Read, Transaction, read_states, transact
from domain import attributes, user
from domain.attributes import MOST, AttributeName, Value, Writer
from domain.errors import AttributeInvalid, Contended
from domain.event import SealClass, Sealed
from domain.ids import UserId
from domain.user import present

ATTEMPTS = 16
LARGEST = 12_000
"""Bytes of all of them together, as JSON: an event has its bounds."""


class ChangeAttributes(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Only what is there changes; null takes an attribute away."""

    attributes: Annotated[dict[AttributeName, Value | None], Meta(max_length=MOST)]

    def __repr__(self) -> str:
        return "ChangeAttributes(...)"


_Change = Callable[[Sealed | None, Sealed | None], Awaitable[Done[None]]]


class _Moved(Exception):
    """Others changed them while this was being decided."""


async def change_own_attributes(command: ChangeAttributes, ctx: Context, ports: Ports) -> Done[None]:
    """Raises NoSuchAttribute, AttributeInvalid, AttributeProtected, InvalidToken, SessionEnded, Contended."""
    principal = required(ctx)
    of_attributes: Read = (attributes.decider, attributes.stream(principal.user_id))

    async def change(before: Sealed | None, after: Sealed | None) -> Done[None]:
        def decide(tx: Transaction) -> None:
            require_standing(tx, principal)
            _record(tx, principal.user_id, before, after)

        return await transact(ports, ctx, [of_attributes], decide, glance=standing_reads(principal))

    return await _changed(command, principal.user_id, Writer.OWNER, ports, change)


async def change_attributes(user_id: UserId, command: ChangeAttributes, ctx: Context, ports: Ports) -> Done[None]:
    """Raises NoSuchUser, RightsExceeded, NoSuchAttribute, AttributeInvalid, Contended."""
    of_attributes: Read = (attributes.decider, attributes.stream(user_id))

    async def act(authority: Authority) -> Done[None]:
        async def change(before: Sealed | None, after: Sealed | None) -> Done[None]:
            def decide(tx: Transaction) -> None:
                authority.require(tx)
                present(tx.state(user.decider, user.stream(user_id)))
                _record(tx, user_id, before, after)

            return await transact(ports, ctx, [of_attributes, *authority.reads], decide)

        return await _changed(command, user_id, Writer.ADMINISTRATOR, ports, change)

    return await acting_on(user_id, ctx, ports, act)


async def _changed(command: ChangeAttributes, user_id: UserId, by: Writer, ports: Ports, change: _Change) -> Done[None]:
    """Open, change and seal them; again where they moved meanwhile."""
    read: Read = (attributes.decider, attributes.stream(user_id))
    for _ in range(ATTEMPTS):
        before = (await read_states(ports, [read])).state(*read).sealed
        have = await open_attributes(before, user_id, ports.vault)
        wanted = attributes.changed(have, command.attributes, ports.policy.attributes, by=by)
        after = before if wanted == have else await _sealed(wanted, user_id, ports)
        try:
            return await change(before, after)
        except _Moved:
            continue
    raise Contended


async def _sealed(wanted: dict[str, Value], user_id: UserId, ports: Ports) -> Sealed | None:
    if not wanted:
        return None
    text = msgspec.json.encode(wanted, order="sorted").decode()
    if len(text.encode()) > LARGEST:
        raise AttributeInvalid(wanted=f"all of them together take {LARGEST:,} bytes at most")
    sealed = await ports.vault.seal(
        subject=user.stream(user_id), seal_class=SealClass.PROFILE, stream=attributes.stream(user_id), fields={"attributes": text}
    )
    return sealed["attributes"]


def _record(tx: Transaction, user_id: UserId, before: Sealed | None, after: Sealed | None) -> None:
    stream = attributes.stream(user_id)
    state = tx.state(attributes.decider, stream)
    if state.sealed != before:
        raise _Moved
    tx.record(attributes.decider, stream, attributes.replace(state, user_id=user_id, attributes=after, at=tx.at))
