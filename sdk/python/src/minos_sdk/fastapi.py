"""FastAPI: who is calling as a parameter, rules as dependencies, and both in the OpenAPI document.

minos = Minos(verifier)
app = FastAPI(lifespan=minos.lifespan)
minos.install(app, exempt=["/health"])

@app.get("/orders", dependencies=[minos.requires(require_permission("orders.read"))])
async def orders(who: Annotated[Identity, minos.identity]) -> list[Order]: ...
"""

import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header
from fastapi.openapi.models import APIKey, HTTPBearer
from fastapi.security.base import SecurityBase
from starlette.requests import HTTPConnection, Request

from minos_sdk import given
from minos_sdk.action_tokens import HEADER, ActionTokens, asked_path, check_action, check_actions
from minos_sdk.admission import Admission, IdentifiesKeys, Verifies, admitted, caller_of
from minos_sdk.asgi import MinosMiddleware
from minos_sdk.exempt import ExemptPaths
from minos_sdk.identity import Identity
from minos_sdk.openapi import describe
from minos_sdk.policies import BlindPolicy, check_policy
from minos_sdk.rules import Rule, every

_ACTION_TOKEN = Header(alias=HEADER, description="An action token for this very request.")


class _Scheme(SecurityBase):
    """Stands in the OpenAPI document; the middleware has done the work."""

    def __init__(self, name: str, model: Any) -> None:
        self.scheme_name = name
        self.model = model

    async def __call__(self) -> None:
        return None


class Minos:
    """What an application knows of Minos. `api_keys` lets keys in besides tokens, `bearer=False` keys alone; `actions` is needed for
    `requires_action`."""

    def __init__(
        self,
        verifier: Verifies,
        *,
        api_keys: IdentifiesKeys | None = None,
        bearer: bool = True,
        on_blind: BlindPolicy | None = None,
        actions: ActionTokens | None = None,
    ) -> None:
        Admission(verifier, api_keys=api_keys, bearer=bearer, on_blind=on_blind)
        check_actions(actions)
        self._verifier = verifier
        self._api_keys = api_keys
        self._bearer = bearer
        self._on_blind = on_blind
        self._actions = actions
        self._schemes = _schemes(bearer=bearer, api_keys=api_keys is not None)
        self.optional_identity = Depends(_identity)
        """The caller, or None where the middleware lets nobody pass as well."""
        self.identity = self._dependency(_required_identity)
        """The caller. Without one, 401."""

    def install(self, app: FastAPI, *, required: bool = True, exempt: Collection[str] = (), by_gateway: bool = False) -> None:
        """Put the middleware before all routes, and what it takes and answers into their OpenAPI document. The rest is told there."""
        given.able("app", app, "add_middleware", wanted="a FastAPI application")
        options: dict[str, Any] = {
            "verifier": self._verifier, "api_keys": self._api_keys, "bearer": self._bearer, "required": required, "exempt": exempt,
            "on_blind": self._on_blind, "by_gateway": by_gateway,
        }  # fmt: skip
        MinosMiddleware(app, **options)  # the application makes its own when it starts, which is late to say what is wrong
        app.add_middleware(MinosMiddleware, **options)
        self._describe(app, ExemptPaths(exempt), required=required)

    @asynccontextmanager
    async def lifespan(self, _app: FastAPI) -> AsyncGenerator[None]:
        """Listen to revocations while the application runs."""
        async with AsyncExitStack() as stack:
            for part in (self._verifier, self._api_keys, self._actions):
                if isinstance(part, AbstractAsyncContextManager):
                    await stack.enter_async_context(part)
            yield

    def requires(self, *rules: Rule, on_blind: BlindPolicy | None = None) -> Any:
        """Give a dependency that all these rules have to be kept for; with `on_blind`, also a stricter policy than elsewhere."""
        rule = every(rules)
        check_policy(on_blind, optional=True)

        async def keeps(connection: HTTPConnection) -> Identity:
            return await _kept(connection, rule, on_blind)

        return self._dependency(keeps)

    def requires_action(self, action: str, *rules: Rule) -> Any:
        """Give a dependency that asks for an action token in `X-Action-Token`, and uses it up once the rules are kept.

        It is bound to the method, the path with its query and the body as they came.
        """
        rule = every(rules)
        actions = check_action(action, self._actions)

        async def uses_up(request: Request, token: Annotated[str | None, _ACTION_TOKEN] = None) -> Identity:
            identity = await _kept(request, rule, None)
            await actions.consume(
                token, action, identity,
                method=request.method, path=asked_path(request.scope), body=await request.body(),
            )  # fmt: skip
            return identity

        return self._dependency(uses_up)

    def _describe(self, app: FastAPI, exempt: ExemptPaths, *, required: bool) -> None:
        """FastAPI writes its document once, when somebody asks for it, and keeps it."""
        written = app.openapi
        schemes = {scheme.scheme_name: scheme.model.model_dump(by_alias=True, exclude_none=True, mode="json") for scheme in self._schemes}

        def openapi() -> dict[str, Any]:
            document = written()
            describe(document, schemes, exempt.covers, required=required)
            return document

        app.openapi = openapi  # type: ignore[method-assign] # as FastAPI has it done (extending OpenAPI)

    def _dependency(self, call: Callable[..., Awaitable[Any]]) -> Any:
        """Have FastAPI see the schemes beside the parameters of `call`, which does not need them."""

        async def dependency(**solved: Any) -> Any:
            return await call(**{name: value for name, value in solved.items() if name not in hidden})

        asked = inspect.signature(call)
        hidden = {f"scheme_{n}": Depends(scheme) for n, scheme in enumerate(self._schemes)}
        schemes = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=scheme) for name, scheme in hidden.items()]
        dependency.__signature__ = asked.replace(parameters=[*asked.parameters.values(), *schemes])  # type: ignore[attr-defined]
        return Depends(dependency)


async def _identity(connection: HTTPConnection) -> Identity | None:
    return caller_of(connection.scope).identity


async def _required_identity(connection: HTTPConnection) -> Identity:
    return await _kept(connection, None, None)


async def _kept(connection: HTTPConnection, rule: Rule | None, on_blind: BlindPolicy | None) -> Identity:
    return await admitted(connection.scope, rule, on_blind)


def _schemes(*, bearer: bool, api_keys: bool) -> list[_Scheme]:
    """Each stands for itself: any one of them will do."""
    token = HTTPBearer(bearerFormat="JWT", description="An access token of Minos.")
    key = APIKey.model_validate({"in": "header", "name": "X-API-Key", "description": "An API key of Minos."})
    return [*([_Scheme("minosToken", token)] if bearer else []), *([_Scheme("minosApiKey", key)] if api_keys else [])]
