"""Orders in FastAPI: tokens of people and services, API keys, rules, a step-up, and a WebSocket that ends with its session.

uvicorn --factory orders_fastapi:service
"""

import asyncio
import os
from typing import Annotated

from fastapi import APIRouter, FastAPI, Response, WebSocket

from minos_sdk import (
    REFUSE,
    ActionTokens,
    ApiKeys,
    ClientSecret,
    Identity,
    NatsFeed,
    ServiceTokens,
    Verifier,
    require_fresh_auth,
    require_permission,
)
from minos_sdk.fastapi import Minos

ORDERS = {1: "a kettle", 2: "two cups"}


def service() -> FastAPI:
    issuer = os.environ["AUTH_URL"]
    account = ClientSecret(os.environ["AUTH_CLIENT_ID"], os.environ["AUTH_CLIENT_SECRET"])
    tokens = ServiceTokens(issuer, account)
    verifier = Verifier(issuer=issuer, audience="orders", feed=NatsFeed(os.environ["NATS_URL"], tokens))
    keys = ApiKeys(issuer, "orders", account, verifier=verifier)
    minos = Minos(verifier, api_keys=keys, actions=ActionTokens(issuer, tokens))

    app = FastAPI(title="Orders", lifespan=minos.lifespan)
    minos.install(app, exempt=["/ready", "/docs", "/openapi.json"])

    @app.get("/ready")
    async def ready(response: Response) -> str:
        """Not before it is known what was revoked."""
        response.status_code = 200 if verifier.ready() else 503
        return verifier.freshness.state

    app.include_router(orders(minos))
    return app


def orders(minos: Minos) -> APIRouter:
    router = APIRouter()

    @router.get("/orders", dependencies=[minos.requires(require_permission("orders.read"))])
    async def list_orders() -> dict[int, str]:
        return ORDERS

    @router.get("/me")
    async def me(who: Annotated[Identity, minos.identity]) -> dict[str, str | list[str]]:
        return {"principal": who.principal, "subject": who.subject, "roles": sorted(who.roles)}

    @router.delete("/orders/{number}", dependencies=[minos.requires(require_fresh_auth(max_age=300), on_blind=REFUSE)], status_code=204)
    async def cancel(number: int) -> None:
        """What cannot be undone asks for a fresh proof, and for knowing what was revoked."""
        ORDERS.pop(number, None)

    @router.post("/orders/{number}/refund", dependencies=[minos.requires_action("orders:refund")])
    async def refund(number: int) -> dict[str, int]:
        """Asks for an action token for this very request, which is used up before anything is done."""
        return {"refunded": number}

    @router.websocket("/live", dependencies=[minos.requires(require_permission("orders.read"))])
    async def live(socket: WebSocket) -> None:
        """Closed by the middleware as soon as the session is revoked."""
        await socket.accept()
        while True:
            await socket.send_json(ORDERS)
            await asyncio.sleep(1)

    return router
