"""Asking to be erased, thinking better of it, and taking one's data along; and who has asked, for administrators."""

from typing import Annotated
from uuid import UUID

from litestar import Controller, delete, get, post
from litestar.params import QueryParameter

from api.asking import Asking
from api.export import Export, export
from api.lists import FIFTY, Cursor, Limit, Page, page, place, settle
from api.refuse import refuses
from commands.erase_me import ErasureDue, ask_for_erasure, withdraw_erasure
from domain import erasure, errors
from domain.ids import UserId
from projections import erasures
from projections.erasures import ErasureRow, ErasureStatus


class MyErasure(Controller):
    path = "/api/v1/me"
    tags = ("me",)

    @post(
        "/erase",
        operation_id="askForErasure",
        status_code=202,
        summary="Have my account erased",
        description=(
            "After `MINOS_ERASURE_WAIT`; until then everything goes on, and it can be withdrawn. Then the account is deleted for good, and "
            "its address and username are free; of an account that is suspended then they are nobody's for `MINOS_BARRED_NAMES`. A "
            "suspension puts it off, and so does an administrator's deletion. Asking again does not. A mail says so."
        ),
        responses=refuses(errors.InvalidToken, errors.SessionEnded, errors.LastAdminProtected, errors.Contended),
    )
    async def ask(self, request: Asking) -> ErasureDue:
        done = await ask_for_erasure(request.context(), request.world.ports)
        return request.wrote(done, erasure.stream(request.caller.user_id))

    @delete(
        "/erase",
        operation_id="withdrawErasure",
        summary="Keep my account after all",
        responses=refuses(errors.InvalidToken, errors.SessionEnded, errors.NoErasureAsked, errors.Contended),
    )
    async def withdraw(self, request: Asking) -> None:
        request.wrote(await withdraw_erasure(request.context(), request.world.ports), erasure.stream(request.caller.user_id))

    @get(
        "/export",
        operation_id="exportMe",
        summary="All that is known of me",
        description="As JSON, to keep or to take elsewhere. No secret is in it: they are not known here, or of no use to anybody else.",
        responses=refuses(errors.InvalidToken),
    )
    async def export_me(self, request: Asking) -> Export:
        request.exchange.say(b"content-disposition", 'attachment; filename="account.json"')
        return await export(request.caller.user_id, request.own_session, request.world)


class Erasures(Controller):
    path = "/api/v1/erasures"
    tags = ("users",)

    @get(
        operation_id="listErasures",
        summary="Who asked to be erased",
        description="Those who wait for it, unless another status is asked for; by account, newest accounts first.",
        responses=refuses(
            errors.InvalidToken, errors.PermissionDenied, errors.CursorInvalid, errors.StreamVersionInvalid, errors.TooManyWaiting
        ),
    )
    async def list_erasures(
        self,
        request: Asking,
        status: Annotated[ErasureStatus, QueryParameter(description="Only those.")] = ErasureStatus.ASKED,
        limit: Limit = FIFTY,
        cursor: Cursor = None,
    ) -> Page[ErasureRow]:
        found_at = place(request, cursor, UUID, status)
        await settle(request, erasures.erasures)
        after = None if found_at is None else UserId(found_at)
        found = await erasures.page(request.world.models, status=status, after=after, limit=limit)
        return page(request, found.rows, found.next_after, found.freshness, status)
