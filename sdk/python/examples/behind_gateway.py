"""A service behind a gateway (nginx, Traefik, Envoy) that asks Minos at `auth/check`: it believes the gateway's signed word alone.

uvicorn --factory behind_gateway:service
"""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from minos_sdk import GatewayVerifier, MinosMiddleware, require_permission
from minos_sdk.admission import admitted


def service() -> Starlette:
    verifier = GatewayVerifier(issuer=os.environ["AUTH_URL"], audience="orders")

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncGenerator[None]:
        async with verifier:
            yield

    async def list_orders(request: Request) -> JSONResponse:
        who = await admitted(request.scope, require_permission("orders.read"))
        return JSONResponse({"for": who.subject})

    guarded = Middleware(MinosMiddleware, verifier=verifier, by_gateway=True)
    return Starlette(routes=[Route("/orders", list_orders)], middleware=[guarded], lifespan=lifespan)
