"""OAuth endpoints for programs: tokens by a client's own credentials (RFC 6749 4.4, RFC 7523, RFC 8707)."""

from typing import Literal

from litestar import Controller, post
from msgspec import Struct

from adapters.limits.policy import Kind
from api import metrics, refusals
from api.asking import Asking
from api.client_authentication import as_client, shown_by
from api.exchange import Exchange
from api.forms import form
from api.issuing import counted
from api.refuse import oauth_refuses
from api.world import World
from commands.api_key_text import MARK
from commands.authenticate_client import Shown
from commands.client_token import GrantClientToken, grant_client_token
from commands.introspect import Introspection, Presented, introspect
from commands.revoke_token import revoke_token
from domain import errors
from domain.errors import AudienceNotAllowed, InvalidScope
from domain.ids import AudienceName, is_slug
from domain.permission import Permission, is_permission

CLIENT_CREDENTIALS = "client_credentials"
AUDIENCE_URN = "urn:minos:audience:"
MOST_PERMISSIONS = 256
"""As many as a service account may have."""
"""`resource` names an audience by an absolute URI (RFC 8707 2)."""
_QUESTION_FIELDS = frozenset({"token", "token_type_hint", "client_id", "client_secret", "client_assertion", "client_assertion_type"})
_TOKEN_FIELDS = frozenset({
    "grant_type", "scope", "audience", "resource", "client_id", "client_secret", "client_assertion", "client_assertion_type",
})  # fmt: skip


class TokenForm(Struct, frozen=True, kw_only=True):
    """`scope`: permissions, each within what the service account has for the audience. Without it, all of them."""

    grant_type: Literal["client_credentials"]
    audience: str = ""
    resource: str = ""
    scope: str = ""
    client_id: str = ""
    client_secret: str = ""
    client_assertion: str = ""
    client_assertion_type: str = ""


class TokenGranted(Struct, frozen=True, kw_only=True):
    """RFC 6749 5.1."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the name of a scheme
    expires_in: int
    scope: str

    def __repr__(self) -> str:
        return "TokenGranted(...)"


class TokenQuestion(Struct, frozen=True, kw_only=True):
    """`token_type_hint` is taken and not needed: a token says what it is."""

    token: str
    token_type_hint: str = ""
    client_id: str = ""
    client_secret: str = ""
    client_assertion: str = ""
    client_assertion_type: str = ""


class Revoked(Struct, frozen=True, kw_only=True):
    """RFC 7009 2.2: the same, whether or not there was anything to revoke."""


class OAuth(Controller):
    path = "/oauth2"
    tags = ("oauth",)

    @post(
        "/token",
        operation_id="grantToken",
        status_code=200,
        summary="A token for a service account",
        description=(
            "By `client_secret_basic`, `client_secret_post` or `private_key_jwt`. Never more than the service account may do, and for one "
            "registered audience: the one named by `audience` or `resource` (`urn:minos:audience:<name>`), or its only one."
        ),
        responses=oauth_refuses(
            errors.InvalidClient,
            errors.InvalidScope,
            errors.AudienceNotAllowed,
            errors.AudienceRequired,
            refusals.UnsupportedGrantType,
            refusals.FormInvalid,
        ),
        opt={"form": TokenForm},
    )
    async def token(self, request: Asking) -> TokenGranted:
        return await granted(request.exchange, request.world)

    @post(
        "/introspect",
        operation_id="introspectToken",
        status_code=200,
        summary="What is this token worth now?",
        description=(
            "For access tokens of people and machines, service tokens, API keys and refresh tokens. The asker proves itself, and learns "
            "only of tokens for its own audiences; all others are not active. Answered on the truth of this moment (RFC 7662)."
        ),
        responses=oauth_refuses(errors.InvalidClient, refusals.FormInvalid),
        opt={"form": TokenQuestion},
    )
    async def introspect(self, request: Asking) -> Introspection:
        return await introspected(request.exchange, request.world)

    @post(
        "/revoke",
        operation_id="revokeToken",
        status_code=200,
        summary="Let a token go",
        description=(
            "An access or service token by the client it was issued to; a refresh token or API key by whoever holds it (RFC 7009). "
            "A person's access token ends with its session, at `/api/v1/auth/logout`."
        ),
        responses=oauth_refuses(errors.InvalidClient, errors.UnsupportedTokenType, refusals.FormInvalid, errors.Contended),
        opt={"form": TokenQuestion},
    )
    async def revoke(self, request: Asking) -> Revoked:
        exchange, world = request.exchange, request.world
        shown, token = _asked_about(exchange, world)
        presented = await _presented(token, world)
        await as_client(shown, revoke_token(presented, shown, request.context(), world.ports), exchange, world)
        return Revoked()


async def introspected(exchange: Exchange, world: World) -> Introspection:
    """Answer about a token. Raises what `oauth_errors` has a name for."""
    shown, token = _asked_about(exchange, world)
    asked = introspect(await _presented(token, world), shown, world.ports)
    told = counted(metrics.INTROSPECTIONS, lambda found: "active" if found.active else "inactive", asked)
    return await as_client(shown, told, exchange, world)


def _asked_about(exchange: Exchange, world: World) -> tuple[Shown, str]:
    fields = form(exchange.body)
    if not fields.keys() <= _QUESTION_FIELDS:
        raise refusals.FormInvalid
    shown = shown_by(exchange.headers, fields, world)
    world.limiter.claimed(exchange, Kind.ACCOUNT, shown.client_id)
    if "token" not in fields:
        raise refusals.FormInvalid
    return shown, fields["token"]


async def _presented(token: str, world: World) -> Presented:
    """Tell what a text is by its form. A signature is looked at before anything is looked up."""
    if token.startswith(MARK):
        return token
    if token.startswith("mrt_"):
        return world.ports.mint.read_refresh_token(token)
    try:
        return await world.tokens.verify(token, audiences=None)
    except errors.InvalidToken:
        return None


async def granted(exchange: Exchange, world: World) -> TokenGranted:
    """Answer a token request. Raises what `oauth_errors` has a name for."""
    fields = form(exchange.body)
    if not fields.keys() <= _TOKEN_FIELDS:
        raise refusals.FormInvalid
    shown = shown_by(exchange.headers, fields, world)
    world.limiter.claimed(exchange, Kind.ACCOUNT, shown.client_id)
    if fields.get("grant_type") != CLIENT_CREDENTIALS:
        raise refusals.UnsupportedGrantType
    wish = GrantClientToken(
        shown=shown, audience=_audience(fields.get("audience"), fields.get("resource")), permissions=_permissions(fields.get("scope"))
    )
    asked = counted(metrics.CLIENT_TOKENS, lambda _: "issued", grant_client_token(wish, world.ports))
    token = await as_client(shown, asked, exchange, world)
    return TokenGranted(access_token=token.access_token, expires_in=token.expires_in, scope=token.scope)


def _audience(named: str | None, resource: str | None) -> AudienceName | None:
    if resource is not None:
        if not resource.startswith(AUDIENCE_URN) or named not in {None, resource.removeprefix(AUDIENCE_URN)}:
            raise AudienceNotAllowed
        named = resource.removeprefix(AUDIENCE_URN)
    if named is not None and not is_slug(named):
        raise AudienceNotAllowed
    return None if named is None else AudienceName(named)


def _permissions(scope: str | None) -> tuple[Permission, ...] | None:
    if scope is None:
        return None
    parts = set(scope.split(" "))
    if len(parts) > MOST_PERMISSIONS or not all(is_permission(part) for part in parts):
        raise InvalidScope
    return tuple(Permission(part) for part in sorted(parts))
