"""One service, written in FastAPI and in Litestar."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Annotated, Any, Self

import httpx
from fastapi import FastAPI, WebSocket
from litestar import Litestar, get, post, websocket
from litestar import WebSocket as LitestarWebSocket
from litestar.di import NamedDependency
from litestar.params import JSONBody

import minos_sdk.fastapi
import minos_sdk.litestar
from minos_sdk.action_tokens import ActionTokens
from minos_sdk.errors import Blind, InvalidToken
from minos_sdk.identity import Identity
from minos_sdk.policies import REFUSE, BlindPolicy
from minos_sdk.rules import require_fresh_auth, require_permission, require_role, service_only

URL = "https://auth.example"


ADA = {"authorization": "Bearer ada"}


JSON = {"content-type": "application/json"}


EXPORT = {"authorization": "Bearer export"}


class Gate:
    """A verifier that knows two tokens."""

    def __init__(self) -> None:
        self.started = 0
        self.is_blind = False

    async def __aenter__(self) -> Self:
        self.started += 1
        return self

    async def __aexit__(self, *_: object) -> None:
        self.started -= 1

    async def verify(self, token: str, *, on_blind: BlindPolicy | None = None) -> Identity:
        if on_blind is REFUSE and self.is_blind:
            raise Blind
        if token == "ada":
            return Identity(
                principal="user", subject="ada", user_id="ada", session_id="s1", audience="shop", roles=frozenset({"clerk"}),
                permissions=frozenset({"orders.read"}), auth_time=0,
            )  # fmt: skip
        if token == "export":
            return Identity(principal="service", subject="client_x", client_id="client_x", audience="shop")
        raise InvalidToken

    @asynccontextmanager
    async def watching(self, identity: Identity) -> AsyncGenerator[asyncio.Event]:
        yield asyncio.Event()


class Minos:
    """Lets action tokens be used up, once each."""

    def __init__(self) -> None:
        self.asked: list[Mapping[str, Any]] = []
        self.answer: httpx.Response | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == "Bearer own minos"
        asked = json.loads(request.content)
        self.asked.append(asked)
        if self.answer is not None:
            return self.answer
        told = {name: asked[name] for name in ("action", "session_id")}
        return httpx.Response(200, json={**told, "action_id": "a1", "user_id": "ada", "consumed_at": "2026-01-01T00:00:00Z"})


class Own:
    async def token(self, audience: str) -> str:
        return f"own {audience}"


def fastapi_service(gate: Any, actions: ActionTokens) -> Any:
    minos = minos_sdk.fastapi.Minos(gate, actions=actions)
    app = FastAPI(lifespan=minos.lifespan)
    minos.install(app, exempt=["/health", "/openapi.json"])

    @app.get("/health")
    async def health() -> str:
        return "fine"

    @app.get("/me")
    async def me(who: Annotated[Identity, minos.identity]) -> str:
        return who.subject

    @app.get("/orders", dependencies=[minos.requires(require_permission("orders.read"))])
    async def orders() -> str:
        return "orders"

    @app.get("/admin", dependencies=[minos.requires(require_role("admin"))])
    async def admin() -> str:
        return "admin"

    @app.get("/fresh", dependencies=[minos.requires(require_fresh_auth(max_age=300, acr="urn:minos:acr:two-factor"))])
    async def fresh() -> str:
        return "fresh"

    @app.get("/export")
    async def export(who: Annotated[Identity, minos.requires(service_only(allowed=["client_x"]))]) -> str:
        return who.subject

    @app.get("/strict", dependencies=[minos.requires(on_blind=REFUSE)])
    async def strict() -> str:
        return "strict"

    @app.post("/refunds", dependencies=[minos.requires_action("shop:refund", require_role("clerk"))])
    async def refund(body: dict[str, int]) -> dict[str, int]:
        return body

    @app.websocket("/live", dependencies=[minos.requires(require_role("admin"))])
    async def live(socket: WebSocket) -> None:
        await socket.accept()

    return app


def litestar_service(gate: Any, actions: ActionTokens) -> Any:
    minos = minos_sdk.litestar.Minos(gate, actions=actions, exempt=["/health", "/schema/*"])

    @get("/health")
    async def health() -> str:
        return "fine"

    @get("/me")
    async def me(identity: NamedDependency[Identity]) -> str:
        return identity.subject

    @get("/orders", guards=[minos.guard(require_permission("orders.read"))])
    async def orders() -> str:
        return "orders"

    @get("/admin", guards=[minos.guard(require_role("admin"))])
    async def admin() -> str:
        return "admin"

    @get("/fresh", guards=[minos.guard(require_fresh_auth(max_age=300, acr="urn:minos:acr:two-factor"))])
    async def fresh() -> str:
        return "fresh"

    @get("/export", guards=[minos.guard(service_only(allowed=["client_x"]))])
    async def export(identity: NamedDependency[Identity]) -> str:
        return identity.subject

    @get("/strict", guards=[minos.guard(on_blind=REFUSE)])
    async def strict() -> str:
        return "strict"

    @post("/refunds", guards=[minos.action_guard("shop:refund", require_role("clerk"))], status_code=200)
    async def refund(data: JSONBody[dict[str, int]]) -> dict[str, int]:
        return data

    @websocket("/live", guards=[minos.guard(require_role("admin"))])
    async def live(socket: LitestarWebSocket[Any, Any, Any]) -> None:
        await socket.accept()

    handlers = [health, me, orders, admin, fresh, export, strict, refund, live]
    return Litestar(handlers, plugins=[minos])


class Served:
    def __init__(self, make: Any) -> None:
        self.gate, self.minos = Gate(), Minos()
        self.actions = ActionTokens(URL, Own(), http=httpx.AsyncClient(transport=httpx.MockTransport(self.minos)))
        self.app = make(self.gate, self.actions)
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://shop.example")
