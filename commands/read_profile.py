"""What an account says of its person, opened for whoever may see it; what was erased is simply not there any more."""

from datetime import datetime
from enum import StrEnum
from typing import assert_never

import msgspec
from msgspec import Struct

from commands.ports import Ports, Vault
from commands.transact import Read, read_states
from domain import attributes, erasure, user
from domain.account import Account
from domain.attributes import Value
from domain.errors import NoSuchUser
from domain.event import Erased, Sealed
from domain.ids import RoleSlug, StreamName, UserId
from domain.locale import Locale
from domain.user import Absent, Active, Deleted, Gone, Suspended, User, account_of
from domain.user import Erased as ErasedUser


class AccountStatus(StrEnum):
    ACTIVE = "active"
    SUSPENDED = "suspended"
    DELETED = "deleted"
    """Restorable, until `restorable_until`."""
    GONE = "gone"
    """Deleted for good: its names are free."""


class Texts(Struct, frozen=True, kw_only=True):
    email: str | None
    username: str | None
    name: str | None

    def __repr__(self) -> str:
        return "Texts(...)"


class Profile(Struct, frozen=True, kw_only=True):
    user_id: UserId
    email: str | None
    email_verified: bool
    username: str | None
    name: str | None
    locale: Locale | None
    """The language of mail; None: that of the installation."""
    status: AccountStatus
    roles: tuple[RoleSlug, ...]
    registered_at: datetime
    attributes: dict[str, Value]
    """Those that are registered now."""
    erasure_due_at: datetime | None = None
    """When it will be erased, as its owner asked; until then they can withdraw that."""
    restorable_until: datetime | None = None
    """Of a deleted account."""

    def __repr__(self) -> str:
        return f"Profile(user_id={self.user_id})"


async def read_profile(user_id: UserId, ports: Ports) -> Profile:
    """Read from the head: never stale. Raises NoSuchUser."""
    of_user: Read = (user.decider, user.stream(user_id))
    of_attributes: Read = (attributes.decider, attributes.stream(user_id))
    of_erasure: Read = (erasure.decider, erasure.stream(user_id))
    tx = await read_states(ports, [of_user, of_attributes, of_erasure])
    state: User = tx.state(*of_user)
    account = account_of(state)
    said = await open_attributes(tx.state(*of_attributes).sealed, user_id, ports.vault)
    texts = await open_profile(account, ports)
    return Profile(
        user_id=account.user_id,
        email=texts.email,
        email_verified=account.email_verified,
        username=texts.username,
        name=texts.name,
        locale=account.locale,
        status=_status(state),
        roles=account.roles,
        registered_at=account.registered_at,
        attributes={name: value for name, value in said.items() if name in ports.policy.attributes},
        erasure_due_at=asked.due_at if isinstance(asked := tx.state(*of_erasure), erasure.Asked) else None,
        restorable_until=state.restorable_until if isinstance(state, Deleted) else None,
    )


def _status(state: User) -> AccountStatus:
    match state:
        case Active():
            return AccountStatus.ACTIVE
        case Suspended():
            return AccountStatus.SUSPENDED
        case Deleted():
            return AccountStatus.DELETED
        case Gone():
            return AccountStatus.GONE
        case Absent() | ErasedUser():
            raise NoSuchUser
        case _:
            assert_never(state)


async def open_profile(account: Account, ports: Ports) -> Texts:
    stream = user.stream(account.user_id)
    return Texts(
        email=await opened(account.email, stream, "email", ports.vault),
        username=await opened(account.username, stream, "username", ports.vault),
        name=await opened(account.name, stream, "name", ports.vault),
    )


async def open_attributes(sealed: Sealed | None, user_id: UserId, vault: Vault) -> dict[str, Value]:
    """Give all there are, also what is not registered any more; nothing where they were erased."""
    text = await opened(sealed, attributes.stream(user_id), "attributes", vault)
    return {} if text is None else msgspec.json.decode(text, type=dict[str, Value])


async def opened(sealed: Sealed | None, stream: StreamName, field: str, vault: Vault) -> str | None:
    """Give what a field says; None where it was left empty or has been erased."""
    if sealed is None:
        return None
    text = await vault.open(sealed, stream=stream, field=field)
    return None if isinstance(text, Erased) else text
