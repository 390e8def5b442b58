"""Litestar: a plugin that brings middleware, answers and OpenAPI schemes, and guards made of rules.

minos = Minos(verifier)
app = Litestar([orders], plugins=[minos])

@get("/orders", guards=[minos.guard(require_permission("orders.read"))])
async def orders(identity: NamedDependency[Identity]) -> list[Order]: ...
"""

from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any, cast

from litestar import Litestar, Request, Response
from litestar.config.app import AppConfig
from litestar.connection import ASGIConnection
from litestar.di import Provide
from litestar.handlers import BaseRouteHandler
from litestar.middleware import DefineMiddleware
from litestar.openapi.spec import Components, SecurityScheme
from litestar.plugins import InitPlugin

from minos_sdk.action_tokens import HEADER, ActionTokens, asked_path, check_action, check_actions
from minos_sdk.admission import IdentifiesKeys, Verifies, admitted, caller_of
from minos_sdk.answers import CONTENT_TYPE, Receive, Scope, Send, answer_to
from minos_sdk.asgi import MinosMiddleware
from minos_sdk.errors import MinosError
from minos_sdk.identity import Identity
from minos_sdk.open_socket import REFUSED
from minos_sdk.policies import BlindPolicy, check_policy
from minos_sdk.rules import Rule, every

AnyConnection = ASGIConnection[Any, Any, Any, Any]
Guard = Callable[[AnyConnection, BaseRouteHandler], Any]


class Minos(InitPlugin):
    """`api_keys` lets keys in besides tokens, `bearer=False` keys alone; `required` and `exempt` as the middleware has them; `actions`
    is needed for `action_guard`. Handlers get the caller as the dependency `identity`, or `optional_identity`."""

    def __init__(
        self,
        verifier: Verifies,
        *,
        api_keys: IdentifiesKeys | None = None,
        bearer: bool = True,
        required: bool = True,
        exempt: Collection[str] = (),
        by_gateway: bool = False,
        on_blind: BlindPolicy | None = None,
        actions: ActionTokens | None = None,
    ) -> None:
        check_actions(actions)
        self._parts = (verifier, api_keys, actions)
        middleware: Any = MinosMiddleware  # its scope is any mapping, Litestar's is one by name
        options: dict[str, Any] = {
            "verifier": verifier, "api_keys": api_keys, "bearer": bearer, "required": required, "exempt": exempt,
            "by_gateway": by_gateway, "on_blind": on_blind, "path_of": _routed_path,
        }  # fmt: skip
        MinosMiddleware(_nothing, **options)  # the application makes its own when it starts, which is late to say what is wrong
        self._middleware = DefineMiddleware(middleware, **options)
        self._schemes = _schemes(bearer=bearer, api_keys=api_keys is not None)
        self._anyone: list[dict[str, list[str]]] = [] if required else [{}]
        self._actions = actions

    def on_app_init(self, app_config: AppConfig) -> AppConfig:
        config: Any = app_config  # some of its parts are generic over nothing that a strict checker knows
        config.middleware.insert(0, self._middleware)
        config.exception_handlers = {**config.exception_handlers, MinosError: _answered}
        config.dependencies = {
            **config.dependencies, "identity": Provide(_required_identity), "optional_identity": Provide(_identity, sync_to_thread=False),
        }  # fmt: skip
        config.lifespan = [*config.lifespan, self._lifespan]
        if app_config.openapi_config is not None:
            described = app_config.openapi_config
            described.components = _with(described.components, Components(security_schemes=dict(self._schemes)))
            described.security = [*(described.security or []), *self._anyone, *({name: list[str]()} for name in self._schemes)]
        return app_config

    def guard(self, *rules: Rule, on_blind: BlindPolicy | None = None) -> Guard:
        """All of these rules; with `on_blind`, also a stricter policy than elsewhere."""
        rule = every(rules)
        check_policy(on_blind, optional=True)

        async def keeps(connection: AnyConnection, _: BaseRouteHandler) -> None:
            await _admitted(connection, rule, on_blind)

        return keeps

    def action_guard(self, action: str, *rules: Rule) -> Guard:
        """Ask for an action token in `X-Action-Token`, and use it up once the rules are kept.

        It is bound to the method, the path with its query and the body as they came.
        """
        rule, actions = every(rules), check_action(action, self._actions)

        async def uses_up(connection: AnyConnection, _: BaseRouteHandler) -> None:
            identity = await _admitted(connection, rule, None)
            if not isinstance(connection, Request):
                raise TypeError("an action is an HTTP request")
            await actions.consume(
                connection.headers.get(HEADER), action, identity,
                method=connection.method, path=asked_path(_scope(connection)), body=await connection.body(),
            )  # fmt: skip

        return uses_up

    @asynccontextmanager
    async def _lifespan(self, _app: Litestar) -> AsyncGenerator[None]:
        """Listen to revocations while the application runs."""
        async with AsyncExitStack() as stack:
            for part in self._parts:
                if isinstance(part, AbstractAsyncContextManager):
                    await stack.enter_async_context(part)
            yield


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that is never asked."""


def _routed_path(scope: Scope) -> str | None:
    """Here routing is over, and has left of the path what is below the application; below a mount, only what is below that."""
    return None if getattr(scope["route_handler"], "is_mount", False) else str(scope["path"])


def _scope(connection: AnyConnection) -> Scope:
    return cast("Scope", connection.scope)  # a TypedDict is a mapping of its names


async def _admitted(connection: AnyConnection, rule: Rule | None, on_blind: BlindPolicy | None) -> Identity:
    """A refusal on a WebSocket is kept for the middleware, which answers it better than a bare close does."""
    try:
        return await admitted(_scope(connection), rule, on_blind)
    except MinosError as refused:
        _scope(connection)[REFUSED] = refused
        raise


def _identity(request: AnyConnection) -> Identity | None:
    return caller_of(_scope(request)).identity


async def _required_identity(request: AnyConnection) -> Identity:
    return await _admitted(request, None, None)


def _answered(_: Request[Any, Any, Any], refused: MinosError) -> Response[bytes]:
    answer = answer_to(refused)
    headers = {name.decode(): value.decode() for name, value in answer.headers if name not in {b"content-type", b"content-length"}}
    return Response(answer.body, status_code=answer.status, media_type=CONTENT_TYPE, headers=headers)


def _schemes(*, bearer: bool, api_keys: bool) -> dict[str, SecurityScheme]:
    token = SecurityScheme(type="http", scheme="bearer", bearer_format="JWT", description="An access token of Minos.")
    key = SecurityScheme(type="apiKey", name="X-API-Key", security_scheme_in="header", description="An API key of Minos.")
    return ({"minosToken": token} if bearer else {}) | ({"minosApiKey": key} if api_keys else {})


def _with(there: Components | list[Components], ours: Components) -> list[Components]:
    return [*(there if isinstance(there, list) else [there]), ours]
