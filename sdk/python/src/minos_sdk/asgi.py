"""Middleware for every ASGI framework: who is calling is known, or the request goes no further."""

from collections.abc import Collection

from minos_sdk import given
from minos_sdk.admission import CALLER, Admission, Caller, IdentifiesKeys, Verifies
from minos_sdk.answers import ASGIApp, Receive, Scope, Send, refuse
from minos_sdk.credentials import handed_on, shown_by
from minos_sdk.errors import MinosError, Unauthenticated
from minos_sdk.exempt import ExemptPaths, PathOf, path_below_root
from minos_sdk.gateway import GatewayVerifier
from minos_sdk.open_answer import OpenAnswer
from minos_sdk.open_socket import OpenSocket
from minos_sdk.policies import BlindPolicy
from minos_sdk.standing import ClosedByRefusal
from minos_sdk.verifier import Verifier


class MinosMiddleware:
    """Judge the credential of each request and WebSocket, and put a `Caller` into the scope.

    `exempt`: paths without a look at credentials, one exactly, or all below one by `/assets/*`. With `required=False` a request without
    a credential passes, without an identity; a bad credential is refused all the same. `by_gateway`: the credential is what a gateway
    handed on in `Minos-Identity`, for a `GatewayVerifier`. `path_of` finds the path to compare, where a framework changes it on the way.
    The rest is as `Admission` has it.

    A MinosError from further in is answered too, as long as nothing was sent. An open WebSocket is closed, and an answer that is sent
    piece by piece broken off at its next one, once their credential would not be accepted any more: revoked, expired, or not known.
    """

    def __init__(
        self,
        app: ASGIApp,
        verifier: Verifies,
        *,
        api_keys: IdentifiesKeys | None = None,
        bearer: bool = True,
        required: bool = True,
        exempt: Collection[str] = (),
        by_gateway: bool = False,
        on_blind: BlindPolicy | None = None,
        path_of: PathOf = path_below_root,
    ) -> None:
        given.able("app", app, "__call__", wanted="an ASGI application")
        given.flags(required=required, by_gateway=by_gateway)
        given.function("path_of", path_of)
        _check_ways_in(verifier, api_keys, by_gateway=by_gateway)
        self._app = app
        self._admission = Admission(verifier, api_keys=api_keys, bearer=bearer, on_blind=on_blind)
        self._shown_by = handed_on if by_gateway else shown_by
        self._required = required
        exempted = ExemptPaths(exempt, path_of)
        self._exempt = exempted if exempt else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] not in {"http", "websocket"}:
            raise NotImplementedError("where a credential is on a connection of another kind is not known")
        try:
            scope[CALLER] = caller = await self._admit(scope)
        except MinosError as refused:
            await refuse(scope, receive, send, refused)
            return
        if scope["type"] == "http":
            await self._serve(scope, receive, send, caller)
        else:
            await self._open(scope, receive, send, caller)

    async def _admit(self, scope: Scope) -> Caller:
        if self._exempt is not None and self._exempt.has(scope):
            return Caller(self._admission)
        credential = self._shown_by(scope["headers"])
        if credential is not None:
            return Caller(self._admission, credential, await self._admission.identify(credential))
        if self._required:
            raise Unauthenticated
        return Caller(self._admission)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, caller: Caller) -> None:
        answer = OpenAnswer(send, self._admission.verifier, caller)
        try:
            await self._app(scope, receive, answer.send)
        except MinosError as refused:
            if answer.begun:
                raise
            await refuse(scope, receive, send, refused)
        finally:
            await answer.close()

    async def _open(self, scope: Scope, receive: Receive, send: Send, caller: Caller) -> None:
        socket = OpenSocket(scope, await receive(), receive, send)
        try:
            async with socket.watched(self._admission.verifier, caller):
                await self._app(scope, socket.receive, socket.send)
        except MinosError as refused:
            await socket.end(refused)
        except ClosedByRefusal:
            return


def _check_ways_in(verifier: Verifies, api_keys: IdentifiesKeys | None, *, by_gateway: bool) -> None:
    """What a gateway hands on and what a client shows are never judged in one another's place."""
    if by_gateway and (isinstance(verifier, Verifier) or api_keys is not None):
        raise ValueError("by_gateway asks for a GatewayVerifier, and for no api_keys: the gateway has had keys judged already")
    if not by_gateway and isinstance(verifier, GatewayVerifier):
        raise ValueError("verifier is a GatewayVerifier: that asks for by_gateway=True")
