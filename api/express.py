"""The two questions every downstream asks all day, answered without the framework's routing and binding.

Measured on two cores: the framework's layers cost about as much again as the whole strong check. A test holds these
answers against those of the ordinary routes, which stay the ones that are described.
"""

from collections.abc import Awaitable, Callable, Mapping

import msgspec

from api.callers import bearer_token
from api.exchange import Exchange
from api.problems import Answer
from api.well_known import KEYS_MAX_AGE
from api.world import World
from commands.identify import standing

Express = Callable[[Exchange], Awaitable[Answer]]
_JSON = (b"content-type", b"application/json")
_FRESH = (b"cache-control", f"public, max-age={KEYS_MAX_AGE}".encode("ascii"))


def express_lane(world: World) -> Mapping[str, Express]:
    """Give what answers a GET of exactly these addresses."""

    async def session(exchange: Exchange) -> Answer:
        claims = await world.tokens.verify(bearer_token(exchange.headers), audiences=world.every_audience)
        return _json(msgspec.json.encode(await standing(claims, world.ports)))

    async def key_set(_exchange: Exchange) -> Answer:
        keys = await world.keyring.key_set()
        return _json(keys.body, (b"etag", keys.etag.encode("ascii")), _FRESH)

    return {"/api/v1/auth/session": session, "/.well-known/jwks.json": key_set}


def _json(body: bytes, *more: tuple[bytes, bytes]) -> Answer:
    return Answer(200, [_JSON, (b"content-length", b"%d" % len(body)), *more], body)
