"""The description of the API for machines and for people, served by ourselves: no script, nothing from elsewhere."""

from litestar import Controller, Response, get

from api import asyncapi
from api.asking import Asking
from api.docs_page import STYLE, page_of, problems_page
from api.openapi import described, document
from api.refusals import NoSuchRoute

_HTML = "text/html"
"""The framework adds the charset."""
_POLICY = "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_SHORT = "public, max-age=300"


class Docs(Controller):
    path = "/"
    tags = ("documentation",)
    include_in_schema = False

    @get("/", operation_id="findDocs", summary="To the description for people")
    async def front(self, request: Asking) -> Response[bytes]:
        _open_to(request)
        return Response(b"", status_code=303, headers={"Location": "/docs"}, media_type=_HTML)

    @get("/openapi.json", operation_id="readOpenApi", summary="This description, for machines")
    async def openapi(self, request: Asking) -> Response[bytes]:
        _open_to(request)
        return Response(await document(request.controllers), headers={"Cache-Control": _SHORT}, media_type="application/json")

    @get("/asyncapi.json", operation_id="readAsyncApi", summary="What is sent to services elsewhere, for machines")
    async def asyncapi(self, request: Asking) -> Response[bytes]:
        _open_to(request)
        return Response(await asyncapi.document(), headers={"Cache-Control": _SHORT}, media_type="application/json")

    @get("/docs", operation_id="readDocs", summary="This description, for people")
    async def docs(self, request: Asking) -> Response[bytes]:
        _open_to(request)
        await document(request.controllers)
        return _html(page_of(described(request.controllers)))

    @get("/docs/problems", operation_id="readProblems", summary="Every code a problem can have")
    async def problems(self) -> Response[bytes]:
        return _html(problems_page())

    @get("/docs/page.css", operation_id="readDocsAsset", summary="How the pages look")
    async def style(self) -> Response[bytes]:
        return Response(STYLE.encode(), headers={"Cache-Control": _SHORT}, media_type="text/css")


def _open_to(request: Asking) -> None:
    if not request.world.settings.docs_are_open:
        raise NoSuchRoute


def _html(text: str) -> Response[bytes]:
    headers = {"Cache-Control": _SHORT, "Content-Security-Policy": _POLICY}
    return Response(text.encode(), headers=headers, media_type=_HTML)
