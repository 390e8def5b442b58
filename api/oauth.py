"""OAuth endpoints for programs: tokens by a client's own credentials (RFC 6749 4.4, RFC 7523, RFC 8707)."""

from typing import Literal

from litestar import Controller, post
from msgspec import Struct

from api import metrics, refusals
from api.asking import Asking
from api.client_authentication import shown_by
from api.exchange import Exchange
from api.forms import form
from api.issuing import counted
from api.refuse import oauth_refuses
from api.world import World
from commands.client_token import GrantClientToken, grant_client_token
from domain import errors
from domain.errors import AudienceNotAllowed, InvalidScope
from domain.ids import AudienceName, is_slug
from domain.permission import Permission, is_permission

CLIENT_CREDENTIALS = "client_credentials"
AUDIENCE_URN = "urn:minos:audience:"
"""`resource` names an audience by an absolute URI (RFC 8707 2)."""
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
            errors.InvalidClient, errors.InvalidScope, errors.AudienceNotAllowed, refusals.UnsupportedGrantType, refusals.FormInvalid
        ),
        opt={"form": TokenForm},
    )
    async def token(self, request: Asking) -> TokenGranted:
        return await granted(request.exchange, request.world)


async def granted(exchange: Exchange, world: World) -> TokenGranted:
    """Answer a token request. Raises what `oauth_errors` has a name for."""
    fields = form(exchange.body)
    if not fields.keys() <= _TOKEN_FIELDS:
        raise refusals.FormInvalid
    shown = shown_by(exchange.headers, fields, world)
    if fields.get("grant_type") != CLIENT_CREDENTIALS:
        raise refusals.UnsupportedGrantType
    wish = GrantClientToken(
        shown=shown, audience=_audience(fields.get("audience"), fields.get("resource")), permissions=_permissions(fields.get("scope"))
    )
    token = await counted(metrics.CLIENT_TOKENS, lambda _: "issued", grant_client_token(wish, world.ports))
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
    parts = scope.split(" ")
    if not all(is_permission(part) for part in parts):
        raise InvalidScope
    return tuple(Permission(part) for part in parts)
