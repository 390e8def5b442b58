"""Asking to be erased, thinking better of it, and taking one's data along; and who has asked, for administrators."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, Response, delete, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from api.asking import Asking
from api.export import Export, export
from api.export_page import POLICY, page_of, prefers_page
from api.lists import FIFTY, Cursor, Limit, Page, page, place, settle
from api.refuse import refuses
from api.users import SLUG
from commands.acknowledge_erasure import AcknowledgeErasure, acknowledge_erasure, require_service_of
from commands.erase_me import ErasureDue, ask_for_erasure, withdraw_erasure
from commands.erasure_receipt import ErasureReceipt, erasure_receipt
from domain import erasure, errors
from domain.ids import AudienceName, UserId
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
        description=(
            "As JSON, to keep or to take elsewhere; with `Accept: text/html` as a page to read, which needs nothing else. No secret is in "
            "it: they are not known here, or of no use to anybody else."
        ),
        responses=refuses(errors.InvalidToken),
        opt={"answers": Export},
    )
    async def export_me(self, request: Asking) -> Response[bytes]:
        found = await export(request.caller.user_id, request.own_session, request.world)
        accept = request.exchange.headers.get(b"accept", b"").decode("latin-1")
        if not prefers_page(accept):
            return _file(msgspec.json.encode(found), "account.json", "application/json")
        return _file(page_of(found), "account.html", "text/html", {"Content-Security-Policy": POLICY})


def _file(body: bytes, name: str, media_type: str, headers: Mapping[str, str] = MappingProxyType({})) -> Response[bytes]:
    told = {"Content-Disposition": f'attachment; filename="{name}"', "Vary": "Accept", **headers}
    return Response(body, headers=told, media_type=media_type)


class Erasures(Controller):
    path = "/api/v1/erasures"
    tags = ("users",)

    @get(
        "/{user_id:uuid}",
        operation_id="readErasure",
        summary="How far an erasure is, and its receipt",
        description=(
            "As it is now. `receipt` is the event that says so, which a proof shows to be in the log; `backups_until`, when the last "
            "backup can open nothing of theirs any more; `missing`, whose services have not acknowledged it."
        ),
        responses=refuses(errors.InvalidToken, errors.PermissionDenied, errors.NoSuchErasure),
    )
    async def read(self, request: Asking, user_id: FromPath[UUID]) -> ErasureReceipt:
        return await erasure_receipt(UserId(user_id), request.world.ports)

    @post(
        "/{user_id:uuid}/acknowledgements",
        operation_id="acknowledgeErasure",
        status_code=204,
        summary="Say that a service has forgotten somebody, too",
        description=(
            "By a service account of the audience, which is one that may read its role signals (`minos.signals.roles.<audience>`). "
            "Saying it again changes nothing."
        ),
        responses=refuses(errors.InvalidToken, errors.PermissionDenied, errors.RightsExceeded, errors.NoSuchErasure, errors.Contended),
    )
    async def acknowledge(self, request: Asking, user_id: FromPath[UUID], data: JSONBody[AcknowledgeErasure]) -> None:
        of = UserId(user_id)
        request.wrote(await acknowledge_erasure(of, data, request.context(), request.world.ports), erasure.stream(of))

    @get(
        "/unacknowledged",
        operation_id="listUnacknowledged",
        summary="Whom a service still has to forget",
        description="For the service of an audience, as above: those it has not acknowledged, newest accounts first. Ids and times.",
        responses=refuses(
            errors.InvalidToken, errors.PermissionDenied, errors.CursorInvalid, errors.StreamVersionInvalid, errors.TooManyWaiting
        ),
    )
    async def list_unacknowledged(
        self,
        request: Asking,
        audience: Annotated[str, QueryParameter(pattern=SLUG, description="Whose service asks.")],
        limit: Limit = FIFTY,
        cursor: Cursor = None,
    ) -> Page[ErasureRow]:
        name = AudienceName(audience)
        require_service_of(name, request.context())
        found_at = place(request, cursor, UUID, audience)
        await settle(request, erasures.erasures)
        after = None if found_at is None else UserId(found_at)
        found = await erasures.unacknowledged(request.world.models, name, after=after, limit=limit)
        return page(request, found.rows, found.next_after, found.freshness, audience)

    @get(
        operation_id="listErasures",
        summary="Who is to be erased",
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
