"""Who is calling: the bearer token verified, its session found live, the route's rule held against it."""

from functools import lru_cache
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl

from litestar import Request
from litestar.handlers import HTTPRouteHandler
from litestar.params import QueryParameter
from litestar.typing import FieldDefinition
from msgspec.structs import replace

from adapters.base64url import to_text
from api.exchange import Exchange, exchange_of
from api.policy import POLICY, PUBLIC, Access, Needs, action_of
from api.refusals import AuthenticationRequired, Fault, ValidationFailed
from api.world import World
from commands.action_tokens import Bound, own_action
from commands.api_key_text import MARK, read_key_text
from commands.context import ActionUse, Machine, Principal
from commands.identify import identify
from commands.key_holders import identify_key
from commands.machines import identify_machine
from commands.ports import AccessClaims
from commands.step_up import require_proof
from domain.audience import PrincipalKind
from domain.errors import InvalidToken, PermissionDenied, SessionRequired, StrongerFactorRequired


async def enforce(request: Request[Any, Any, Any]) -> None:
    """Hold the one policy table against every request, before its body is looked at.

    Raises AuthenticationRequired, InvalidToken, SessionRequired, PermissionDenied, StrongerFactorRequired, ReauthenticationRequired,
    ActionTokenInvalid, RateLimited, and ValidationFailed for parameters that are not known.
    """
    _refuse_unknown_parameters(request)
    access = access_of(request.route_handler)
    if access.needs in {Needs.NOTHING, Needs.CLIENT}:
        return
    world: World = request.app.state.world
    exchange = exchange_of(request.scope)
    token = credential(exchange.headers)
    if token.startswith(MARK):
        await _key_calls(exchange, token, access, world)
        return
    if access.needs in {Needs.TOKEN, Needs.SESSION}:
        exchange.claims = await world.tokens.verify(token, audiences=None)
        world.limiter.token(exchange, exchange.claims)
        if exchange.claims.principal is not PrincipalKind.USER:
            raise SessionRequired
        if access.needs is Needs.SESSION:
            exchange.principal = await identify(exchange.claims, world.ports, rights=False)
        return
    exchange.claims = await world.tokens.verify(token, audiences=world.own_audience)
    count = world.limiter.token if access.step_up is None else world.limiter.unproved
    count(exchange, exchange.claims)  # before anything is read for them
    caller = await _caller(exchange, exchange.claims, access, world)
    _require_permission(caller, access)
    if access.step_up is not None and isinstance(caller, Principal):  # last: nobody is sent for a proof that would not help them
        exchange.action = _presented_action(request, exchange, caller, world)
        if exchange.action is None:
            exchange.principal = await require_proof(caller, access.step_up, world.ports)
        else:
            exchange.principal = replace(caller, amr=exchange.action.amr, factorless=exchange.action.factorless)
        world.limiter.proven(exchange, exchange.claims)


async def reidentify(exchange: Exchange, access: Access, world: World) -> None:
    """Find the caller of a request that goes on for long as they are by now. Raises as `enforce`, but that nothing is counted."""
    token = credential(exchange.headers)
    if token.startswith(MARK):
        held, _ = await identify_key(token, world.ports)
        exchange.machine = held.machine
        _require_permission(held.machine, access)
        return
    exchange.claims = await world.tokens.verify(token, audiences=world.own_audience)
    _require_permission(await _caller(exchange, exchange.claims, access, world), access)


def _require_permission(caller: Principal | Machine, access: Access) -> None:
    """Raises PermissionDenied, StrongerFactorRequired where a factor would help."""
    if not access.opens(caller.permissions):
        raise StrongerFactorRequired if isinstance(caller, Principal) and access.opens(caller.withheld) else PermissionDenied


def _presented_action(request: Request[Any, Any, Any], exchange: Exchange, caller: Principal, world: World) -> ActionUse | None:
    """Give what an `X-Action-Token` is good for, which has to be this very request. Raises ActionTokenInvalid."""
    token = exchange.headers.get(b"x-action-token")
    if token is None:
        return None
    query = request.scope["query_string"].decode("latin-1")
    path = request.scope["path"] + (f"?{query}" if query else "")
    parameters = to_text(sha256(exchange.body).digest()) if exchange.body else None
    name = action_of(str(request.route_handler.operation_id))
    bound = Bound(method=request.method, path=path, parameters=parameters)
    return own_action(token.decode("ascii"), name, bound, caller, world.ports)


async def _key_calls(exchange: Exchange, key: str, access: Access, world: World) -> None:
    """Let an API key call for Minos itself, where machines may. Raises InvalidToken, SessionRequired, PermissionDenied."""
    if not access.is_for_machines:
        if read_key_text(key, world.ports.policy.key_environment) is None:
            raise InvalidToken
        raise SessionRequired
    held, _ = await identify_key(key, world.ports)
    if held.machine.audience not in world.own_audience:
        raise InvalidToken
    exchange.machine = held.machine
    world.limiter.account(exchange, held.machine.name)
    _require_permission(held.machine, access)


async def _caller(exchange: Exchange, claims: AccessClaims, access: Access, world: World) -> Principal | Machine:
    """Find out who calls. Raises InvalidToken, SessionRequired."""
    if claims.principal is PrincipalKind.SERVICE and access.is_for_machines:
        exchange.machine = await identify_machine(claims, world.ports)
        return exchange.machine
    exchange.principal = await identify(claims, world.ports, rights=access.rights or access.needs is Needs.PERMISSION)
    return exchange.principal


def _refuse_unknown_parameters(request: Request[Any, Any, Any]) -> None:
    """What is not understood is not passed over, nor is one of two values picked."""
    if not request.scope["query_string"]:
        return
    known, listed = parameters_of(request.route_handler), lists_of(request.route_handler)
    given = [name for name, _ in parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)]
    faults = [
        Fault(pointer=f"?{name[:64]}", code="unknown_parameter", detail="There is no such parameter here.")
        for name in given
        if name not in known
    ]
    faults += [
        Fault(pointer=f"?{name}", code="repeated", detail="Given more than once.") for name in known - listed if given.count(name) > 1
    ]
    if faults:
        raise ValidationFailed(faults[:16])


@lru_cache(maxsize=256)
def parameters_of(handler: HTTPRouteHandler) -> frozenset[str]:
    """Give the names of a route's query parameters, as callers write them."""
    return frozenset(_parameters(handler))


@lru_cache(maxsize=256)
def lists_of(handler: HTTPRouteHandler) -> frozenset[str]:
    """Give the names of those that may be given several times."""
    fields = _parameters(handler).items()
    return frozenset(name for name, field in fields if any(part.is_non_string_sequence for part in (field, *field.inner_types)))


def _parameters(handler: HTTPRouteHandler) -> dict[str, FieldDefinition]:
    """A name may be one that Python keeps for itself: then the function calls its parameter otherwise."""
    fields = handler.parsed_fn_signature.parameters.items()
    return {field.kwarg_definition.name or name: field for name, field in fields if isinstance(field.kwarg_definition, QueryParameter)}


def access_of(handler: HTTPRouteHandler) -> Access:
    """Give the rule of a handler. Answers to OPTIONS are the framework's own and tell nothing but methods."""
    if handler.http_methods == {"OPTIONS"}:
        return PUBLIC
    return POLICY[str(handler.operation_id)]


def credential(headers: dict[bytes, bytes]) -> str:
    """Give the token or API key of a request. Raises as `bearer_token` does."""
    key = headers.get(b"x-api-key")
    if key is None:
        return bearer_token(headers)
    if not key.startswith(MARK.encode()):
        raise InvalidToken
    return key.decode("ascii")


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
