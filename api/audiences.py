"""Services that tokens may be issued for: registered, with their rules."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from litestar import Controller, get, post, put
from litestar.params import JSONBody, PathParameter, QueryParameter
from msgspec import Struct

from api.asking import Asking
from api.lists import FIFTY, Cursor, Limit, Page, page, place, settle
from api.refuse import refuses
from api.users import SLUG
from commands.audiences import (
    ChangeAudience,
    DefineAudience,
    DefinedAudience,
    RetireAudience,
    change_audience,
    define_audience,
    retire_audience,
)
from commands.ports import Vault
from commands.read_profile import opened
from domain import errors
from domain.audience import PrincipalKind, Rules, stream
from domain.ids import AudienceName, ClientId, RoleName
from domain.permission import Permission
from domain.signing_key import Algorithm
from projections import audiences
from projections.audiences import AudienceRow

AudiencePath = Annotated[str, PathParameter(pattern=SLUG, description="An audience's name.")]
_LISTED = (errors.InvalidToken, errors.PermissionDenied, errors.CursorInvalid, errors.StreamVersionInvalid, errors.TooManyWaiting)
_CHANGED = (
    errors.InvalidToken, errors.PermissionDenied, errors.RightsExceeded, errors.NoSuchAudience, errors.AudienceProtected, errors.Contended,
)  # fmt: skip


class AudienceView(Struct, frozen=True, kw_only=True):
    """A registered audience. Without `permissions` its catalogue is not known; null is by the settings."""

    audience: AudienceName
    permissions: tuple[Permission, ...]
    algorithm: Algorithm | None
    access_token_ttl: int | None
    principals: tuple[PrincipalKind, ...]
    roles: tuple[RoleName, ...]
    clients: tuple[ClientId, ...]
    description: str | None
    defined_at: datetime
    updated_at: datetime
    retired_at: datetime | None


class RulesWanted(Rules, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of an audience's rules; what is left out is as if it had never been said."""


class Audiences(Controller):
    path = "/api/v1/audiences"
    tags = ("audiences",)

    @get(
        operation_id="listAudiences",
        summary="List audiences",
        description="`minos` itself is built in and not among them.",
        responses=refuses(*_LISTED),
    )
    async def list_audiences(
        self,
        request: Asking,
        retired: Annotated[bool | None, QueryParameter(description="Only the retired, or only the others.")] = None,
        limit: Limit = FIFTY,
        cursor: Cursor = None,
    ) -> Page[AudienceView]:
        after = place(request, cursor, str, str(retired))
        await settle(request, audiences.audiences)
        last = None if after is None else AudienceName(after)
        found = await audiences.page(request.world.models, retired=retired, after=last, limit=limit)
        return page(request, await _views(found.rows, request.world.ports.vault), found.next_after, found.freshness, str(retired))

    @post(
        operation_id="defineAudience",
        summary="Register an audience",
        description="Its catalogue holds no permission that the caller lacks. A retired one's name is not free.",
        responses=refuses(
            errors.InvalidToken, errors.PermissionDenied, errors.RightsExceeded, errors.AudienceExists, errors.AudienceProtected,
            errors.IdempotencyKeyInvalid,
        ),
    )  # fmt: skip
    async def define(self, request: Asking, data: JSONBody[DefineAudience]) -> DefinedAudience:
        done = await define_audience(data, request.repeatable(data), request.world.ports)
        return request.wrote(done, stream(data.name))

    @get(
        "/{audience:str}",
        operation_id="readAudience",
        summary="One audience, as it is now",
        responses=refuses(errors.InvalidToken, errors.PermissionDenied, errors.NoSuchAudience),
    )
    async def read(self, request: Asking, audience: AudiencePath) -> AudienceView:
        found = await audiences.get(request.world.models, AudienceName(audience))
        if found is None:
            raise errors.NoSuchAudience
        [view] = await _views([found.row], request.world.ports.vault)
        return view

    @put(
        "/{audience:str}",
        operation_id="changeAudience",
        status_code=204,
        summary="Change an audience",
        description=(
            "All its rules as they are from now on. Service tokens that they refuse, or that say more than the catalogue does, are dead "
            "for good where services judge by themselves; what people were given is good until it expires."
        ),
        responses=refuses(*_CHANGED),
    )
    async def change(self, request: Asking, audience: AudiencePath, data: JSONBody[RulesWanted]) -> None:
        command = ChangeAudience(audience=AudienceName(audience), rules=data)
        request.wrote(await change_audience(command, request.context(), request.world.ports), stream(command.audience))

    @post(
        "/{audience:str}/retire",
        operation_id="retireAudience",
        status_code=204,
        summary="Retire an audience",
        description="No token is issued for it any more, and its service tokens are dead. There is no way back.",
        responses=refuses(*_CHANGED),
    )
    async def retire(self, request: Asking, audience: AudiencePath) -> None:
        command = RetireAudience(audience=AudienceName(audience))
        request.wrote(await retire_audience(command, request.context(), request.world.ports), stream(command.audience))


async def _views(rows: Sequence[AudienceRow], vault: Vault) -> list[AudienceView]:
    return [
        AudienceView(
            audience=row.audience,
            permissions=row.permissions,
            algorithm=row.algorithm,
            access_token_ttl=row.access_token_ttl,
            principals=row.principals,
            roles=row.roles,
            clients=row.clients,
            description=await opened(row.description, stream(row.audience), "description", vault),
            defined_at=row.defined_at,
            updated_at=row.updated_at,
            retired_at=row.retired_at,
        )
        for row in rows
    ]
