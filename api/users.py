"""Accounts and their sessions as administrators see and end them."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, delete, get, patch, post
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct

from api import views
from api.asking import Asking
from api.lists import FIFTY, Cursor, Limit, Page, page, place, settle
from api.refuse import refuses
from commands.change_attributes import ChangeAttributes, change_attributes
from commands.delete_user import AdminDeleteReason, DeleteUser, RestoreUser, delete_user, restore_user
from commands.end_session import EndAllSessions, end_all_sessions
from commands.find_user import find_user
from commands.read_profile import Profile, read_profile
from commands.suspend_user import ReinstateUser, SuspendUser, reinstate_user, suspend_user
from domain import attributes, errors, user
from domain.ids import RoleName, SessionId, UserId
from domain.user_events import SuspendReason
from projections import session_lists, user_history, users
from projections.session_lists import SessionStatus
from projections.sessions import sessions
from projections.users import UserStatus

NOBODY = UserId(UUID(int=0))
SLUG = r"^[a-z0-9][a-z0-9_-]{0,63}$(?!\n)"
Why = Annotated[AdminDeleteReason, QueryParameter(description="Why it is deleted.")]
_LISTED = (errors.InvalidToken, errors.PermissionDenied, errors.CursorInvalid, errors.StreamVersionInvalid, errors.TooManyWaiting)
CHANGED = (errors.InvalidToken, errors.PermissionDenied, errors.RightsExceeded, errors.NoSuchUser, errors.Contended)


class Suspension(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why; the note is sealed and for administrators."""

    reason: SuspendReason = SuspendReason.ADMINISTRATIVE
    note: Annotated[str, Meta(min_length=1, max_length=1_000)] | None = None

    def __repr__(self) -> str:
        return f"Suspension(reason={self.reason})"


class Users(Controller):
    path = "/api/v1/users"
    tags = ("users",)

    @get(
        operation_id="listUsers",
        summary="List accounts, or find one",
        description="Newest first. Names are sealed, so `search` finds exactly what it says, in any spelling, and no part of a name.",
        responses=refuses(*_LISTED),
    )
    async def list_users(
        self,
        request: Asking,
        *,
        search: Annotated[
            str | None,
            QueryParameter(min_length=1, max_length=320, description="An id, an address or a username; also of deleted ones."),
        ] = None,
        role: Annotated[str | None, QueryParameter(pattern=SLUG, description="Only holders of this role.")] = None,
        status: Annotated[
            UserStatus | None, QueryParameter(description="Only accounts of this status; all but deleted ones where none is given.")
        ] = None,
        verified: Annotated[bool | None, QueryParameter(description="Only accounts whose address was proved, or never was.")] = None,
        limit: Limit = FIFTY,
        cursor: Cursor = None,
    ) -> Page[views.UserView]:
        filtered_by = msgspec.json.encode([search, role, status, verified]).decode()
        after = place(request, cursor, UUID, filtered_by)
        await settle(request, users.users)
        only = None if search is None else await find_user(search, request.world.ports)
        found = await users.page(
            request.world.models,
            only=NOBODY if search is not None and only is None else only,
            role=None if role is None else RoleName(role),
            status=status,
            verified=verified,
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

    @patch(
        "/{user_id:uuid}/attributes",
        operation_id="changeUserAttributes",
        summary="Change what an account says of its person besides the name",
        description="Only what is in the body changes; null takes an attribute away.",
        responses=refuses(*CHANGED, errors.NoSuchAttribute, errors.AttributeInvalid),
    )
    async def change_attributes(self, request: Asking, user_id: FromPath[UUID], data: JSONBody[ChangeAttributes]) -> Profile:
        of = UserId(user_id)
        request.wrote(await change_attributes(of, data, request.context(), request.world.ports), attributes.stream(of))
        return await read_profile(of, request.world.ports)

    @post(
        "/{user_id:uuid}/suspend",
        operation_id="suspendUser",
        status_code=204,
        summary="Suspend an account",
        description="Its sessions and API keys end at once and for good, and it cannot sign in.",
        responses=refuses(*CHANGED, errors.LastAdminProtected),
    )
    async def suspend(self, request: Asking, user_id: FromPath[UUID], data: JSONBody[Suspension]) -> None:
        command = SuspendUser(user_id=UserId(user_id), reason=data.reason, note=data.note)
        request.wrote(await suspend_user(command, request.context(), request.world.ports), user.stream(command.user_id))

    @post(
        "/{user_id:uuid}/reinstate",
        operation_id="reinstateUser",
        status_code=204,
        summary="Let a suspended account act again",
        description=(
            "Sessions and API keys from before stay ended. One that was erased while it was suspended stays erased: its address and "
            "username are free then."
        ),
        responses=refuses(*CHANGED),
    )
    async def reinstate(self, request: Asking, user_id: FromPath[UUID]) -> None:
        command = ReinstateUser(user_id=UserId(user_id))
        request.wrote(await reinstate_user(command, request.context(), request.world.ports), user.stream(command.user_id))

    @delete(
        "/{user_id:uuid}",
        operation_id="deleteUser",
        summary="Delete an account",
        description=(
            "At once it is as good as not there: sessions and API keys end for good, signing in is as with an unknown name. For as long "
            "as `MINOS_RESTORE_PERIOD` says it can be restored, and nobody else can have its address and username. Nothing is erased."
        ),
        responses=refuses(*CHANGED, errors.LastAdminProtected),
    )
    async def remove(self, request: Asking, user_id: FromPath[UUID], reason: Why = AdminDeleteReason.ADMINISTRATIVE) -> None:
        command = DeleteUser(user_id=UserId(user_id), reason=reason)
        request.wrote(await delete_user(command, request.context(), request.world.ports), user.stream(command.user_id))

    @post(
        "/{user_id:uuid}/restore",
        operation_id="restoreUser",
        status_code=204,
        summary="Bring a deleted account back",
        description="As it was, suspended if it was. Sessions and API keys from before stay ended.",
        responses=refuses(*CHANGED, errors.RestoreTooLate),
    )
    async def restore(self, request: Asking, user_id: FromPath[UUID]) -> None:
        command = RestoreUser(user_id=UserId(user_id))
        request.wrote(await restore_user(command, request.context(), request.world.ports), user.stream(command.user_id))

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
        responses=refuses(*CHANGED),
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
