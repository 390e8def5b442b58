"""What answers say of things that read models hold sealed: opened here, for whoever may see them."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from commands.ports import Ports, Vault
from commands.read_profile import opened
from domain import role, session, user
from domain.ids import AudienceName, RoleName, SessionId, StreamName, UserId
from domain.permission import Permission
from domain.session_events import AuthMethod
from domain.suspicion import Review, Signal
from domain.user_events import DeleteReason, SuspendReason
from projections.history_rows import HistoryRow
from projections.roles import RoleRow
from projections.session_lists import SessionStatus
from projections.session_lists import SessionView as Judged
from projections.users import UserRow, UserStatus


class UserView(Struct, frozen=True, kw_only=True):
    """An account as administrators see it. What was erased is null."""

    user_id: UserId
    status: UserStatus
    roles: tuple[RoleName, ...]
    email: str | None
    email_verified: bool
    username: str | None
    name: str | None
    registered_at: datetime
    updated_at: datetime
    suspended_at: datetime | None
    suspend_reason: SuspendReason | None
    deleted_at: datetime | None
    delete_reason: DeleteReason | None
    restorable_until: datetime | None

    def __repr__(self) -> str:
        return f"UserView(user_id={self.user_id})"


class SessionView(Struct, frozen=True, kw_only=True):
    """A sign-in on one device. `network` is where it began; `last_seen_at` is to the minute."""

    session_id: SessionId
    user_id: UserId
    status: SessionStatus
    current: bool
    audiences: tuple[AudienceName, ...]
    amr: tuple[AuthMethod, ...]
    started_at: datetime
    refreshed_at: datetime
    last_seen_at: datetime
    idle_expires_at: datetime
    expires_at: datetime
    network: str | None
    user_agent: str | None
    device_name: str | None
    ended_at: datetime | None
    why_ended: str | None
    signals: tuple[Signal, ...]
    """What was suspicious about its sign-in."""
    review: Review | None

    def __repr__(self) -> str:
        return f"SessionView(session_id={self.session_id})"


class HistoryView(Struct, frozen=True, kw_only=True):
    """One thing that happened to an account. `actor` is `user:<id>`, `system:<part>`, `administrator` or `anonymous`."""

    position: int
    at: datetime
    type: str
    actor: str
    session_id: SessionId | None
    role: RoleName | None
    reason: str | None
    until: datetime | None
    network: str | None
    user_agent: str | None
    device_name: str | None

    def __repr__(self) -> str:
        return f"HistoryView(position={self.position})"


class RoleView(Struct, frozen=True, kw_only=True):
    role: RoleName
    permissions: tuple[Permission, ...]
    description: str | None
    defined_at: datetime
    updated_at: datetime
    retired_at: datetime | None


async def users(rows: Sequence[UserRow], vault: Vault) -> list[UserView]:
    return list(await asyncio.gather(*(_user(row, vault) for row in rows)))


async def sessions(rows: Sequence[Judged], ports: Ports, current: SessionId | None) -> list[SessionView]:
    seen = await ports.last_used.of([session.stream(row.session.session_id) for row in rows])
    return list(await asyncio.gather(*(_session(row, ports.vault, current, seen) for row in rows)))


async def history(rows: Sequence[HistoryRow], vault: Vault) -> list[HistoryView]:
    return list(await asyncio.gather(*(_history(row, vault) for row in rows)))


async def own_history(rows: Sequence[HistoryRow], vault: Vault, owner: UserId) -> list[HistoryView]:
    """A user learns which deeds were another's, not whose."""
    own = f"user:{owner}"
    seen = await history(rows, vault)
    return [replace(view, actor="administrator") if view.actor.startswith("user:") and view.actor != own else view for view in seen]


async def roles(rows: Sequence[RoleRow], vault: Vault) -> list[RoleView]:
    return list(await asyncio.gather(*(role_view(row, vault) for row in rows)))


async def role_view(row: RoleRow, vault: Vault) -> RoleView:
    return RoleView(
        role=row.role,
        permissions=row.permissions,
        description=await opened(row.description, role.stream(row.role), "description", vault),
        defined_at=row.defined_at,
        updated_at=row.updated_at,
        retired_at=row.retired_at,
    )


async def _user(row: UserRow, vault: Vault) -> UserView:
    stream = user.stream(row.user_id)
    return UserView(
        user_id=row.user_id,
        status=row.status,
        roles=row.roles,
        email=await opened(row.email, stream, "email", vault),
        email_verified=row.email_verified,
        username=await opened(row.username, stream, "username", vault),
        name=await opened(row.name, stream, "name", vault),
        registered_at=row.registered_at,
        updated_at=row.updated_at,
        suspended_at=row.suspended_at,
        suspend_reason=row.suspend_reason,
        deleted_at=row.deleted_at,
        delete_reason=row.delete_reason,
        restorable_until=row.restorable_until,
    )


async def _session(judged: Judged, vault: Vault, current: SessionId | None, seen: Mapping[StreamName, datetime]) -> SessionView:
    row = judged.session
    stream = session.stream(row.session_id)
    return SessionView(
        session_id=row.session_id,
        user_id=row.user_id,
        status=judged.status,
        current=row.session_id == current,
        audiences=row.audiences,
        amr=row.amr,
        started_at=row.started_at,
        refreshed_at=row.refreshed_at,
        last_seen_at=max(row.refreshed_at, seen.get(stream, row.refreshed_at)),
        idle_expires_at=row.idle_expires_at,
        expires_at=row.expires_at,
        network=await opened(row.network, stream, "network", vault),
        user_agent=await opened(row.user_agent, stream, "user_agent", vault),
        device_name=await opened(row.device_name, stream, "device_name", vault),
        ended_at=row.ended_at,
        why_ended=judged.why_ended,
        signals=row.signals,
        review=row.review,
    )


async def _history(row: HistoryRow, vault: Vault) -> HistoryView:
    return HistoryView(
        position=row.position,
        at=row.at,
        type=row.type,
        actor=row.actor,
        session_id=row.session_id,
        role=row.role,
        reason=row.reason,
        until=row.until,
        network=await opened(row.network, row.stream, "network", vault),
        user_agent=await opened(row.user_agent, row.stream, "user_agent", vault),
        device_name=await opened(row.device_name, row.stream, "device_name", vault),
    )
