"""What is asked all day by everybody, answered without the framework's routing and binding.

Measured on two cores: the framework's layers cost about as much again as the whole strong check. A test holds these
answers against those of the ordinary routes, which stay the ones that are described.
"""

from collections.abc import Awaitable, Callable, Mapping

import msgspec

from api.addresses import CHECK
from api.asking import EMPTY, context_of
from api.bodies import decode
from api.callers import bearer_token
from api.check import HEADERS, checked, told
from api.exchange import Exchange
from api.issuing import refreshed, signed_in
from api.oauth import granted, introspected
from api.problems import Answer
from api.refusals import AudienceUnnamed
from api.well_known import KEYS_MAX_AGE
from api.world import World
from commands.identify import standing
from commands.issue_token import IssueToken
from commands.sign_in import SignIn

Express = Callable[[Exchange], Awaitable[Answer]]
_TEXT = (b"content-type", b"text/plain; charset=utf-8")
_TOLD = [name.lower().encode("ascii") for name in HEADERS]
_JSON = (b"content-type", b"application/json")
_FRESH = (b"cache-control", f"public, max-age={KEYS_MAX_AGE}".encode("ascii"))


Lane = Mapping[tuple[str, str], Express]


def express_lane(world: World) -> Lane:
    """Give what answers exactly these methods and addresses."""
    return {**_for_people(world), **_for_services(world)}


def _for_people(world: World) -> Lane:
    async def session(exchange: Exchange) -> Answer:
        claims = await world.tokens.verify(bearer_token(exchange.headers), audiences=None)
        world.limiter.token(exchange, claims)
        return _json(msgspec.json.encode(await standing(claims, world.ports)))

    async def login(exchange: Exchange) -> Answer:
        wish = decode(exchange.body or EMPTY, SignIn)
        return _json(msgspec.json.encode(await signed_in(wish, context_of(exchange, world), exchange, world)))

    async def refresh(exchange: Exchange) -> Answer:
        wish = decode(exchange.body or EMPTY, IssueToken)
        return _json(msgspec.json.encode(await refreshed(wish, context_of(exchange, world), exchange, world)))

    return {
        ("GET", "/api/v1/auth/session"): session,
        ("POST", "/api/v1/auth/login"): login,
        ("POST", "/api/v1/auth/refresh"): refresh,
    }


def _for_services(world: World) -> Lane:
    async def key_set(_exchange: Exchange) -> Answer:
        keys = await world.keyring.key_set()
        return _json(keys.body, (b"etag", keys.etag.encode("ascii")), _FRESH)

    async def check(exchange: Exchange) -> Answer:
        if exchange.demand is None:
            raise AudienceUnnamed
        token, found = await checked(exchange.demand, exchange, world)
        said = zip(_TOLD, told(token, found), strict=True)
        return Answer(200, [_TEXT, (b"content-length", b"0"), *((name, value.encode("ascii")) for name, value in said)], b"")

    async def token(exchange: Exchange) -> Answer:
        return _json(msgspec.json.encode(await granted(exchange, world)))

    async def introspect(exchange: Exchange) -> Answer:
        return _json(msgspec.json.encode(await introspected(exchange, world)))

    return {
        ("GET", CHECK): check,
        ("GET", "/.well-known/jwks.json"): key_set,
        ("POST", "/oauth2/token"): token,
        ("POST", "/oauth2/introspect"): introspect,
    }


def _json(body: bytes, *more: tuple[bytes, bytes]) -> Answer:
    return Answer(200, [_JSON, (b"content-length", b"%d" % len(body)), *more], body)
