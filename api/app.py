"""Composes the HTTP service: settings, the world it touches, the routes, the edge around them."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import cast

from litestar import Litestar
from litestar.routes import HTTPRoute

from adapters import logging, settings_source
from adapters.farewell import Farewell
from adapters.limits import policy_file
from adapters.settings import Settings
from adapters.telemetry.spans import spans as spans_wanted
from api.addresses import ASKED_ALIKE, CHECK, Addresses, Served
from api.asgi import App
from api.asking import Asking
from api.callers import enforce
from api.client_address import networks
from api.composition import open_world
from api.edge import Edge
from api.express import express_lane
from api.opening import kept_open
from api.policy import POLICY, check_complete
from api.refuse import HANDLERS
from api.routes import ROUTES
from api.world import World


def create(settings: Settings | None = None, *, farewell: Farewell | None = None) -> Edge:
    """Make the application (ASGI). Without settings they are read as at every start. Raises BadSettings, BadLimits.

    `farewell` says when answers that would go on for ever have to end.
    """
    chosen = settings_source.load().settings if settings is None else settings
    limits = policy_file.load(chosen.limits_file)
    policy_file.require_operations(limits, POLICY)
    spans = spans_wanted("minos.api")

    leaving = asyncio.Event()

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncGenerator[None]:
        if farewell is not None:
            farewell.heard(leaving)

        def opened(world: World) -> None:
            app.state.world = world
            edge.let_everyone_in(express_lane(world), world.limiter)

        async with kept_open(lambda: open_world(chosen, limits, spans, leaving=leaving), opened):
            try:
                yield
            finally:
                leaving.set()
        if spans is not None:
            await asyncio.to_thread(spans.close)
        await asyncio.to_thread(logging.close)

    app = routed(lifespan)
    edge = Edge(
        cast("App", app),  # the same protocol; the framework types its scope more narrowly
        methods=methods_by_address(app),
        addresses=Addresses(served(app)),
        leaving=leaving,
        spans=spans,
        hosts=chosen.allowed_hosts,
        proxies=networks(chosen.trusted_proxies),
        https=chosen.issuer.startswith("https:"),
    )
    return edge


def routed(lifespan: Callable[[Litestar], AbstractAsyncContextManager[None]]) -> Litestar:
    """Make the application within the edge: the routes, and the one place where each is held against the policy."""
    app = Litestar(
        ROUTES,
        request_class=Asking,
        before_request=enforce,
        exception_handlers=HANDLERS,
        lifespan=[lifespan],
        openapi_config=None,
        request_max_body_size=None,
        logging_config=None,
        debug=False,
    )
    app.state.controllers = tuple(ROUTES)
    check_complete(operations(app))
    return app


def operations(app: Litestar) -> list[str | None]:
    """Name every operation there is, None where somebody forgot to; the framework's own answers to OPTIONS are left out."""
    return [
        handler.operation_id if isinstance(handler.operation_id, str) else None
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        if handler.http_methods != {"OPTIONS"}
    ]


def served(app: Litestar) -> list[Served]:
    """Give every operation with its methods and address, the framework's own answers to OPTIONS left out."""
    found = [
        Served(method, route.path_format, str(handler.operation_id))
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        for method in handler.http_methods
        if method != "OPTIONS"
    ]
    return [*found, *(Served(method, CHECK, each.operation) for each in found if each.path == CHECK for method in sorted(ASKED_ALIKE))]


def methods_by_address(app: Litestar) -> dict[str, bytes]:
    """Give what `Allow` says of each address: the framework answers for each handler apart."""
    found: dict[str, set[str]] = {}
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            found.setdefault(route.path_format, set()).update(route.methods)
    for methods in found.values():
        if "GET" in methods:
            methods.add("HEAD")
    return {address: ", ".join(sorted(methods)).encode("ascii") for address, methods in found.items()}
