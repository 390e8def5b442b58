"""Orders in Litestar, without NATS: signals come over HTTP.

uvicorn --factory orders_litestar:service
"""

import os

from litestar import Litestar, get
from litestar.di import NamedDependency

from minos_sdk import ClientSecret, Identity, ServiceTokens, SseFeed, Verifier, require_any_role, require_permission
from minos_sdk.litestar import Minos


def service() -> Litestar:
    issuer = os.environ["AUTH_URL"]
    tokens = ServiceTokens(issuer, ClientSecret(os.environ["AUTH_CLIENT_ID"], os.environ["AUTH_CLIENT_SECRET"]))
    verifier = Verifier(issuer=issuer, audience="orders", feed=SseFeed(tokens))
    minos = Minos(verifier, exempt=["/ready", "/schema", "/schema/*"])

    @get("/ready")
    async def ready() -> bool:
        return verifier.ready()

    @get("/orders", guards=[minos.guard(require_permission("orders.read") & ~require_any_role("apprentice"))])
    async def list_orders() -> dict[int, str]:
        return {1: "a kettle", 2: "two cups"}

    @get("/me")
    async def me(identity: NamedDependency[Identity]) -> str:
        return identity.subject

    return Litestar([ready, list_orders, me], plugins=[minos])
