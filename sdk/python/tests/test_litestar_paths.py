"""Which paths are exempt where Litestar has routed before the middleware looks, and changed the path by that."""

from typing import Any

import httpx
import pytest
from litestar import Litestar, asgi, get

from minos_sdk import MinosMiddleware
from minos_sdk.litestar import Minos
from minos_sdk.testing import Authority

EXEMPT = ("/", "/health", "/assets/*")


@get(["/health", "/svc/health", "/assets/a.js", "/orders"])
async def told() -> str:
    return "told"


@asgi("/admin", is_mount=True, copy_scope=True)
async def admin(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": scope["path"].encode()})


async def status(app: Any, path: str, root: str = "") -> int:
    transport = httpx.ASGITransport(app, root_path=root)
    async with httpx.AsyncClient(transport=transport, base_url="http://orders") as http:
        return (await http.get(path)).status_code


def with_plugin() -> Litestar:
    return Litestar([told, admin], plugins=[Minos(Authority().verifier(), exempt=EXEMPT)])


@pytest.mark.parametrize(("exempt", "expected"), [((), 401), (("/schema", "/schema/*"), 200)])
async def test_the_description_is_behind_the_middleware_unless_it_is_exempt(exempt: tuple[str, ...], expected: int) -> None:
    app = Litestar([told], plugins=[Minos(Authority().verifier(), exempt=exempt)])
    assert {await status(app, path) for path in ("/schema", "/schema/openapi.json", "/schema/swagger")} == {expected}


@pytest.mark.parametrize(("path", "root"), [("/health", ""), ("/assets/a.js", ""), ("/svc/health", "/svc")])
async def test_exempt_paths_are_those_of_the_application(path: str, root: str) -> None:
    assert await status(with_plugin(), path, root) == 200


@pytest.mark.parametrize("path", ["/admin", "/admin/", "/admin/assets/secret", "/admin/x"])
async def test_attack_path_below_a_mount_that_is_exempt_without_the_mount(path: str) -> None:
    assert await status(with_plugin(), path) == 401


async def test_attack_path_with_the_mount_of_the_application_in_it_twice() -> None:
    """Litestar has cut the first: what is left is a route of its own, and not the exempt one."""
    assert await status(with_plugin(), "/svc/svc/health", "/svc") == 401


async def test_attack_path_that_litestar_reads_from_where_the_mount_appears() -> None:
    around = MinosMiddleware(Litestar([told]), Authority().verifier(), exempt=EXEMPT)  # type: ignore[arg-type]
    assert await status(around, "/assets/svc/orders", "/svc") == 401
    assert await status(around, "/svc/health", "/svc") == 200
