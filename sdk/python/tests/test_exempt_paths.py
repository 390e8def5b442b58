"""Paths without a look at credentials, and paths that only look like them."""

import pytest

from driven import Gate, ask, whoami
from minos_sdk.asgi import MinosMiddleware


async def test_paths_that_are_exempt_have_no_identity_and_no_look_at_credentials() -> None:
    app = MinosMiddleware(whoami, Gate(), exempt=["/health", "/assets/*"])
    for path in ("/health", "/assets/app.js", "/assets/img/a.png", "/assets/"):
        assert (await ask(app, path=path))[::2] == (200, None)
    assert (await ask(app, (b"authorization", b"Bearer bad"), path="/health"))[0] == 200
    assert (await ask(app, path="/api/health", root_path="/api"))[0] == 200
    assert (await ask(app, path="/api/assets/api.js", root_path="/api"))[0] == 200
    assert (await ask(app, path="/health", root_path="/api"))[0] == 200


LOOKS_EXEMPT = (
    "/healthy", "/health/", "//health", "/Health", "/other/health", "/assets", "/assets/../orders", "/assets/./../orders",
    "/assets//orders", "/assets/..", "/assets/%2e%2e/orders", "/assets/..\\orders",
)  # fmt: skip


@pytest.mark.parametrize("path", LOOKS_EXEMPT)
async def test_attack_path_that_only_looks_exempt(path: str) -> None:
    assert (await ask(MinosMiddleware(whoami, Gate(), exempt=["/health", "/assets/*"]), path=path))[0] == 401


READ_DIFFERENTLY = [("/assets/api/orders", "/api"), ("/api/health", "/api/"), ("/apihealth", "/api")]


@pytest.mark.parametrize(("path", "root"), READ_DIFFERENTLY)
async def test_attack_path_that_is_exempt_by_one_reading_of_where_the_application_is_mounted(path: str, root: str) -> None:
    """Litestar cuts what is before the mount's first appearance, Starlette a prefix, and not one with a slash at its end."""
    assert (await ask(MinosMiddleware(whoami, Gate(), exempt=["/health", "/assets/*"]), path=path, root_path=root))[0] == 401


async def test_exempt_is_no_single_text() -> None:
    with pytest.raises(TypeError):
        MinosMiddleware(whoami, Gate(), exempt="/health")


@pytest.mark.parametrize("path", ["health", "*", "/a/*/b", "/assets*", "/a?b", "/a%20b", "/*"])
async def test_a_path_that_would_exempt_nothing_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match=r"exempts (no|every)thing"):
        MinosMiddleware(whoami, Gate(), exempt=["/health", path])
