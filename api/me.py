"""What a signed-in person reads and changes of their own."""

from uuid import UUID

from litestar import Controller, delete, get, patch
from litestar.params import FromPath, JSONBody

from api import views
from api.asking import Asking
from api.lists import FIFTY, Cursor, Limit, Page, page, place, settle
from api.refuse import refuses
from api.token_pairs import TokenPair, token_pair
from commands.change_attributes import ChangeAttributes, change_own_attributes
from commands.change_profile import ChangeProfile, change_profile
from commands.read_profile import Profile, read_profile
from commands.review_session import NameDevice, name_device
from commands.revoke_session import RevokeSession, revoke_other_sessions, revoke_session
from domain import attributes, errors, session, user
from domain.ids import SessionId
from projections import session_lists, user_history
from projections.sessions import sessions


class Me(Controller):
    path = "/api/v1/me"
    tags = ("me",)

    @get(operation_id="readMe", summary="My account", responses=refuses(errors.InvalidToken))
    async def read(self, request: Asking) -> Profile:
        return await read_profile(request.caller.user_id, request.world.ports)

    @patch(
        operation_id="changeMe",
        summary="Change my name, username or language",
        description="Only what is in the body changes; null takes it away. Another username asks for a fresh proof.",
        responses=refuses(
            errors.InvalidToken,
            errors.SessionEnded,
            errors.ReauthenticationRequired,
            errors.InvalidUsername,
            errors.UsernameTaken,
            errors.Contended,
        ),
    )
    async def change(self, request: Asking, data: JSONBody[ChangeProfile]) -> Profile:
        done = await change_profile(data, request.context(), request.world.ports)
        request.wrote(done, user.stream(request.caller.user_id))
        return await read_profile(request.caller.user_id, request.world.ports)

    @patch(
        "/attributes",
        operation_id="changeMyAttributes",
        summary="Change what my account says of me besides the name",
        description="What there may be, and which of it is mine to write, is registered by the operator. Only what is in the body changes.",
        responses=refuses(
            errors.InvalidToken, errors.SessionEnded, errors.NoSuchAttribute, errors.AttributeInvalid, errors.AttributeProtected,
            errors.Contended,
        ),
    )  # fmt: skip
    async def change_attributes(self, request: Asking, data: JSONBody[ChangeAttributes]) -> Profile:
        done = await change_own_attributes(data, request.context(), request.world.ports)
        request.wrote(done, attributes.stream(request.caller.user_id))
        return await read_profile(request.caller.user_id, request.world.ports)

    @get(
        "/sessions",
        operation_id="listMySessions",
        summary="Where I am signed in",
        responses=refuses(errors.InvalidToken, errors.CursorInvalid, errors.StreamVersionInvalid, errors.TooManyWaiting),
    )
    async def list_sessions(self, request: Asking, limit: Limit = FIFTY, cursor: Cursor = None) -> Page[views.SessionView]:
        caller, world = request.caller, request.world
        after = place(request, cursor, UUID)
        await settle(request, sessions)
        found = await session_lists.of_user(
            world.models,
            caller.user_id,
            after=None if after is None else SessionId(after),
            limit=limit,
            surely=caller.session_id,
        )
        rows = await views.sessions(found.rows, world.ports, caller.session_id)
        return page(request, rows, found.next_after, found.freshness)

    @delete(
        "/sessions",
        operation_id="endMyOtherSessions",
        status_code=200,
        summary="Sign out everywhere else",
        description=("Ends all sessions but this one, whose tokens and device token are replaced by those in the answer."),
        responses=refuses(errors.InvalidToken, errors.StrongerFactorRequired, errors.SessionEnded, errors.Contended),
    )
    async def end_others(self, request: Asking) -> TokenPair:
        done = await revoke_other_sessions(request.context(), request.world.ports)
        return token_pair(request.wrote(done, session.stream(request.caller.session_id)))

    @patch(
        "/sessions/{session_id:uuid}",
        operation_id="nameMyDevice",
        status_code=204,
        summary="Say what the device of one of my sessions is called",
        description="Null takes the name away.",
        responses=refuses(errors.InvalidToken, errors.NoSuchSession, errors.SessionEnded, errors.Contended),
    )
    async def name_device(self, request: Asking, session_id: FromPath[UUID], data: JSONBody[NameDevice]) -> None:
        own = SessionId(session_id)
        request.wrote(await name_device(own, data, request.context(), request.world.ports), session.stream(own))

    @delete(
        "/sessions/{session_id:uuid}",
        operation_id="endMySession",
        summary="Sign one of my sessions out",
        description="Effective when it returns. Another's session is as absent as one that never was.",
        responses=refuses(errors.InvalidToken, errors.NoSuchSession),
    )
    async def end_session(self, request: Asking, session_id: FromPath[UUID]) -> None:
        own = SessionId(session_id)
        done = await revoke_session(RevokeSession(session_id=own), request.context(), request.world.ports)
        request.wrote(done, session.stream(own))

    @get(
        "/history",
        operation_id="listMyHistory",
        summary="What happened to my account",
        responses=refuses(errors.InvalidToken, errors.CursorInvalid, errors.StreamVersionInvalid, errors.TooManyWaiting),
    )
    async def list_history(self, request: Asking, limit: Limit = FIFTY, cursor: Cursor = None) -> Page[views.HistoryView]:
        owner, world = request.caller.user_id, request.world
        after = place(request, cursor, int)
        await settle(request, user_history.user_history)
        found = await user_history.of_user(world.models, owner, after=after, limit=limit)
        rows = await views.own_history(found.rows, world.ports.vault, owner)
        return page(request, rows, found.next_after, found.freshness)
