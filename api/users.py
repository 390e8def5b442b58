"""Accounts and their sessions as administrators see and end them."""

from typing import Annotated
from uuid import UUID

from litestar import Controller, delete, get, post, put
from litestar.params import FromPath, JSONBody, PathParameter, QueryParameter
from msgspec import Meta, Struct

from api import views
from api.asking import Asking
from api.lists import FIFTY, Cursor, Limit, Page, page, place, settle
from api.refuse import refuses
from commands.end_session import EndAllSessions, end_all_sessions
from commands.grant_role import GrantRole, RevokeRole, grant_role, revoke_role
from commands.identify import rights_of
from commands.read_profile import Profile, read_profile
from commands.suspend_user import ReinstateUser, SuspendUser, reinstate_user, suspend_user
from domain import errors, user
from domain.ids import RoleName, SessionId, UserId
from domain.permission import Permission
from domain.user_events import SuspendReason
from projections import session_lists, user_history, users
from projections.session_lists import SessionStatus
from projections.sessions import sessions
from projections.users import UserStatus

SLUG = r"^[a-z0-9][a-z0-9_-]{0,63}$(?!\n)"
RolePath = Annotated[str, PathParameter(pattern=SLUG, description="A role's name.")]
_LISTED = (errors.InvalidToken, errors.PermissionDenied, errors.CursorInvalid, errors.StreamVersionInvalid, errors.TooManyWaiting)
_CHANGED = (errors.InvalidToken, errors.PermissionDenied, errors.RightsExceeded, errors.NoSuchUser, errors.Contended)


class Suspension(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why; the note is sealed and for administrators."""

    reason: SuspendReason = SuspendReason.ADMINISTRATIVE
    note: Annotated[str, Meta(min_length=1, max_length=1_000)] | None = None

    def __repr__(self) -> str:
        return f"Suspension(reason={self.reason})"


class HeldRole(Struct, frozen=True, kw_only=True):
    role: RoleName
    permissions: tuple[Permission, ...]


class HeldRoles(Struct, frozen=True, kw_only=True):
    """What a user holds, and what each of it gives at this moment."""

    data: tuple[HeldRole, ...]


class Users(Controller):
    path = "/api/v1/users"
    tags = ("users",)

    @get(operation_id="listUsers", summary="List accounts", description="Newest first.", responses=refuses(*_LISTED))
    async def list_users(
        self,
        request: Asking,
        role: Annotated[str | None, QueryParameter(pattern=SLUG, description="Only holders of this role.")] = None,
        status: Annotated[UserStatus | None, QueryParameter(description="Only accounts of this status.")] = None,
        limit: Limit = FIFTY,
        cursor: Cursor = None,
    ) -> Page[views.UserView]:
        filtered_by = f"{role}/{status}"
        after = place(request, cursor, UUID, filtered_by)
        await settle(request, users.users)
        found = await users.page(
            request.world.models,
            role=None if role is None else RoleName(role),
            status=status,
            after=None if after is None else UserId(after),
            limit=limit,
        )
        rows = await views.users(found.rows, request.world.ports.vault)
        return page(request, rows, found.next_after, found.freshness, filtered_by)

    @get(
        "/{user_id:uuid}",
        operation_id="readUser",
        summary="One account, as it is now",
        responses=refuses(errors.InvalidToken, errors.PermissionDenied, errors.NoSuchUser),
    )
    async def read(self, request: Asking, user_id: FromPath[UUID]) -> Profile:
        return await read_profile(UserId(user_id), request.world.ports)

    @get(
        "/{user_id:uuid}/roles",
        operation_id="readUserRoles",
        summary="The roles of an account, as they are now",
        responses=refuses(errors.InvalidToken, errors.PermissionDenied, errors.NoSuchUser),
    )
    async def roles(self, request: Asking, user_id: FromPath[UUID]) -> HeldRoles:
        profile = await read_profile(UserId(user_id), request.world.ports)
        given = await rights_of(profile.roles, request.world.ports)
        return HeldRoles(data=tuple(HeldRole(role=name, permissions=permissions) for name, permissions in given.items()))

    @put(
        "/{user_id:uuid}/roles/{role:str}",
        operation_id="grantRole",
        status_code=204,
        summary="Give a role",
        description="Nobody gives more than they may do themselves. Giving what is held changes nothing.",
        responses=refuses(*_CHANGED, errors.NoSuchRole),
    )
    async def grant(self, request: Asking, user_id: FromPath[UUID], role: RolePath) -> None:
        command = GrantRole(user_id=UserId(user_id), role=RoleName(role))
        request.wrote(await grant_role(command, request.context(), request.world.ports), user.stream(command.user_id))

    @delete(
        "/{user_id:uuid}/roles/{role:str}",
        operation_id="revokeRole",
        summary="Take a role away",
        description="Strong checks see it at once; tokens at their next issue.",
        responses=refuses(*_CHANGED, errors.LastAdminProtected),
    )
    async def revoke(self, request: Asking, user_id: FromPath[UUID], role: RolePath) -> None:
        command = RevokeRole(user_id=UserId(user_id), role=RoleName(role))
        request.wrote(await revoke_role(command, request.context(), request.world.ports), user.stream(command.user_id))

    @post(
        "/{user_id:uuid}/suspend",
        operation_id="suspendUser",
        status_code=204,
        summary="Suspend an account",
        description="All its sessions end at once, and it cannot sign in.",
        responses=refuses(*_CHANGED, errors.LastAdminProtected),
    )
    async def suspend(self, request: Asking, user_id: FromPath[UUID], data: JSONBody[Suspension]) -> None:
        command = SuspendUser(user_id=UserId(user_id), reason=data.reason, note=data.note)
        request.wrote(await suspend_user(command, request.context(), request.world.ports), user.stream(command.user_id))

    @post(
        "/{user_id:uuid}/reinstate",
        operation_id="reinstateUser",
        status_code=204,
        summary="Let a suspended account act again",
        description="Sessions from before stay ended.",
        responses=refuses(*_CHANGED),
    )
    async def reinstate(self, request: Asking, user_id: FromPath[UUID]) -> None:
        command = ReinstateUser(user_id=UserId(user_id))
        request.wrote(await reinstate_user(command, request.context(), request.world.ports), user.stream(command.user_id))

    @get("/{user_id:uuid}/sessions", operation_id="listUserSessions", summary="Sessions of an account", responses=refuses(*_LISTED))
    async def list_sessions(
        self,
        request: Asking,
        user_id: FromPath[UUID],
        status: Annotated[SessionStatus | None, QueryParameter(description="Only those.")] = None,
        limit: Limit = FIFTY,
        cursor: Cursor = None,
    ) -> Page[views.SessionView]:
        after = place(request, cursor, UUID, str(status))
        await settle(request, sessions)
        found = await session_lists.of_user(
            request.world.models,
            UserId(user_id),
            status=status,
            after=None if after is None else SessionId(after),
            limit=limit,
        )
        rows = await views.sessions(found.rows, request.world.ports, request.own_session)
        return page(request, rows, found.next_after, found.freshness, str(status))

    @delete(
        "/{user_id:uuid}/sessions",
        operation_id="endUserSessions",
        summary="End all sessions of an account",
        responses=refuses(*_CHANGED),
    )
    async def end_sessions(self, request: Asking, user_id: FromPath[UUID]) -> None:
        command = EndAllSessions(user_id=UserId(user_id))
        request.wrote(await end_all_sessions(command, request.context(), request.world.ports), user.stream(command.user_id))

    @get(
        "/{user_id:uuid}/history",
        operation_id="listUserHistory",
        summary="What happened to an account",
        description="Newest first.",
        responses=refuses(*_LISTED),
    )
    async def list_history(
        self, request: Asking, user_id: FromPath[UUID], limit: Limit = FIFTY, cursor: Cursor = None
    ) -> Page[views.HistoryView]:
        after = place(request, cursor, int)
        await settle(request, user_history.user_history)
        found = await user_history.of_user(request.world.models, UserId(user_id), after=after, limit=limit)
        rows = await views.history(found.rows, request.world.ports.vault)
        return page(request, rows, found.next_after, found.freshness)
