"""Who is calling: the bearer token verified, its session found live, the route's rule held against it."""

from typing import Any

from litestar import Request
from litestar.handlers import HTTPRouteHandler

from api.exchange import exchange_of
from api.policy import POLICY, PUBLIC, Access, Needs
from api.refusals import AuthenticationRequired
from api.world import World
from commands.identify import identify
from domain.errors import InvalidToken, PermissionDenied
from domain.permission import allows


async def enforce(request: Request[Any, Any, Any]) -> None:
    """Hold the one policy table against every request, before its body is looked at.

    Raises AuthenticationRequired, InvalidToken, PermissionDenied.
    """
    access = access_of(request.route_handler)
    if access.needs is Needs.NOTHING:
        return
    world: World = request.app.state.world
    exchange = exchange_of(request.scope)
    token = bearer_token(exchange.headers)
    if access.needs is Needs.TOKEN:
        exchange.claims = await world.tokens.verify(token, audiences=world.every_audience)
        return
    exchange.claims = await world.tokens.verify(token, audiences=world.own_audience)
    exchange.principal = await identify(exchange.claims, world.ports, rights=access.needs is Needs.PERMISSION)
    if access.permission is not None and not allows(exchange.principal.permissions, access.permission):
        raise PermissionDenied


def access_of(handler: HTTPRouteHandler) -> Access:
    """Give the rule of a handler. Answers to OPTIONS are the framework's own and tell nothing but methods."""
    operation = handler.operation_id
    return POLICY[operation] if isinstance(operation, str) else PUBLIC


def bearer_token(headers: dict[bytes, bytes]) -> str:
    """Raises AuthenticationRequired when there is none, InvalidToken for another scheme (RFC 6750 2.1)."""
    value = headers.get(b"authorization")
    if value is None:
        if b"x-api-key" in headers:
            raise InvalidToken
        raise AuthenticationRequired
    scheme, _, token = value.partition(b" ")
    if scheme.lower() != b"bearer" or not token:
        raise InvalidToken
    return token.decode("ascii")
