"""Forward authentication: what nginx, Traefik and Envoy ask before they let a request through to a service."""

from typing import Annotated

from litestar import Controller, Response, get
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import QueryParameter

from adapters.internal_tokens import LONGEST, MOST, internal_token
from api.addresses import CHECK
from api.asking import Asking
from api.callers import credential
from api.demands import MOST as MOST_ASKED
from api.exchange import Exchange
from api.refusals import AudienceUnnamed, AuthenticationRequired, IdentityTooLong
from api.refuse import refuses
from api.users import SLUG
from api.world import World
from commands.api_key_text import MARK
from commands.check_credential import Demand, check_credential
from commands.ports import Found
from domain import errors
from domain.ids import AudienceName, RoleName, RoleSlug
from domain.permission import Permission, PermissionText

HEADERS = {
    "Minos-Identity": "A JWT of type `minos-internal+jwt` for that audience, good for a minute at most. The one to believe.",
    "Minos-Principal": "`user`, `service` or `api_key`.",
    "Minos-Subject": "The person or service account; of an API key, its owner.",
    "Minos-Roles": "A person's roles, with commas between; empty for keys and services, which have permissions alone.",
    "Minos-Session": "A person's session.",
    "Minos-Client": "The client of a session, or the service account.",
}
"""Every name has one hyphen, so that there is one other spelling of it, with an underscore, for a gateway to strip."""
_Audience = Annotated[str | None, QueryParameter(required=True, pattern=SLUG, description="What the credential has to be for.")]
_Roles = Annotated[list[RoleSlug] | None, QueryParameter(max_items=MOST_ASKED, description="All are needed. Only people have roles.")]
_Permissions = Annotated[list[PermissionText] | None, QueryParameter(max_items=MOST_ASKED, description="All of them are needed.")]
_GOOD = ResponseSpec(
    None,
    generate_examples=False,
    description="It is good, and gives what was asked for. All fields are always there; what does not apply is empty.",
)


class Check(Controller):
    path = CHECK
    tags = ("gateways",)

    @get(
        operation_id="checkCredential",
        summary="Is this credential good for that audience, and does it give this?",
        description=(
            "For gateways. Judges the access token or API key of the request itself, on the truth of this moment; it has to be for the "
            "audience named. POST, PUT, PATCH, DELETE and OPTIONS ask the same, since some gateways use the method of the request they ask "
            "about. The parameters are the gateway's: never pass on the query of a client."
        ),
        responses=refuses(
            AudienceUnnamed, errors.AmbiguousCredentials, AuthenticationRequired, errors.InvalidToken, errors.StrongerFactorRequired,
            errors.PermissionDenied, errors.AudienceNotAllowed, IdentityTooLong,
        ) | {200: _GOOD},
        opt={"told": HEADERS},
    )  # fmt: skip
    async def check(
        self, request: Asking, audience: _Audience = None, role: _Roles = None, permission: _Permissions = None
    ) -> Response[bytes]:
        token, found = await checked(_demand(audience, role, permission), request.exchange, request.world)
        return Response(b"", headers=dict(zip(HEADERS, told(token, found), strict=True)), media_type="text/plain")


def _demand(audience: str | None, roles: list[RoleName] | None, permissions: list[Permission] | None) -> Demand:
    """Raises AudienceUnnamed: a credential that is good somewhere would be let in everywhere (threats.md 7)."""
    if audience is None:
        raise AudienceUnnamed
    return Demand(audience=AudienceName(audience), roles=tuple(roles or ()), permissions=tuple(permissions or ()))


async def checked(demand: Demand, exchange: Exchange, world: World) -> tuple[str, Found]:
    """Judge the credential of a request, and sign who it stands for. Raises what the route refuses with."""
    presented = credential(exchange.headers)
    if presented.startswith(MARK):
        found = await check_credential(presented, demand, world.ports)
        world.limiter.account(exchange, f"api_key:{found.key_id}")
    else:
        claims = await world.tokens.verify(presented, audiences=(demand.audience,))
        world.limiter.token(exchange, claims)
        found = await check_credential(claims, demand, world.ports)
    token = await internal_token(found, world.internal_keyring, issuer=world.settings.issuer, jti=str(world.ports.random.uuid7()))
    if len(token) > LONGEST or max(len(found.roles), len(found.permissions)) > MOST:
        raise IdentityTooLong
    return token, found


def told(token: str, found: Found) -> tuple[str, ...]:
    """Give a value for each of `HEADERS`: ids and slugs of ours alone, nothing that whoever calls has chosen."""
    return token, found.principal, found.subject, ",".join(found.roles), found.session_id, found.client_id
