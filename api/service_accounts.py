"""Service accounts, as administrators make, change and end them."""

from typing import Annotated

from litestar import Controller, delete, get, patch, post
from litestar.params import JSONBody, PathParameter
from msgspec import UNSET, Struct, UnsetType

from api.asking import Asking
from api.lists import FIFTY, Cursor, Limit, Page, page, place, settle
from api.refuse import refuses
from api.users import SLUG
from commands import service_accounts as accounts
from commands.client_secrets import ClientSecret
from commands.read_service_accounts import ServiceAccountView, read_service_account, read_service_accounts
from domain import errors
from domain.client import stream
from domain.client_events import DisableReason
from domain.ids import ClientId, UserId
from projections import service_accounts

ClientPath = Annotated[str, PathParameter(pattern=SLUG, description="A service account's id.")]
_LISTED = (errors.InvalidToken, errors.PermissionDenied, errors.CursorInvalid, errors.StreamVersionInvalid, errors.TooManyWaiting)
CHANGED = (errors.InvalidToken, errors.PermissionDenied, errors.RightsExceeded, errors.NoSuchServiceAccount, errors.Contended)


class Changes(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Only what is in the body changes."""

    name: accounts.NameText | UnsetType = UNSET
    audiences: accounts.Audiences | UnsetType = UNSET
    permissions: accounts.Permissions | UnsetType = UNSET
    token_ttl: accounts.TokenTtl | UnsetType = UNSET
    owner_id: UserId | UnsetType = UNSET

    def __repr__(self) -> str:
        return "Changes(...)"


class Disabling(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    reason: DisableReason = DisableReason.ADMINISTRATIVE


class ServiceAccounts(Controller):
    path = "/api/v1/service-accounts"
    tags = ("service accounts",)

    @get(operation_id="listServiceAccounts", summary="List service accounts", description="By id.", responses=refuses(*_LISTED))
    async def list_accounts(self, request: Asking, limit: Limit = FIFTY, cursor: Cursor = None) -> Page[ServiceAccountView]:
        after = place(request, cursor, str)
        await settle(request, service_accounts.service_accounts)
        last = None if after is None else ClientId(after)
        found = await service_accounts.page(request.world.models, after=last, limit=limit)
        rows = await read_service_accounts([row.client_id for row in found.rows], request.world.ports)
        return page(request, rows, found.next_after, found.freshness)

    @post(
        operation_id="createServiceAccount",
        summary="Make a service account",
        description="It gets no permission that its maker lacks. The secret is shown here and never again.",
        responses=refuses(errors.InvalidToken, errors.PermissionDenied, errors.RightsExceeded, errors.AudienceNotAllowed),
    )
    async def create(self, request: Asking, data: JSONBody[accounts.CreateServiceAccount]) -> ClientSecret:
        done = await accounts.create_service_account(data, request.repeatable(data), request.world.ports)
        return request.wrote(done, stream(done.result.client_id))

    @get(
        "/{client_id:str}",
        operation_id="readServiceAccount",
        summary="One service account, as it is now",
        responses=refuses(errors.InvalidToken, errors.PermissionDenied, errors.NoSuchServiceAccount),
    )
    async def read(self, request: Asking, client_id: ClientPath) -> ServiceAccountView:
        return await read_service_account(ClientId(client_id), request.world.ports)

    @patch(
        "/{client_id:str}",
        operation_id="changeServiceAccount",
        summary="Change a service account",
        description="Where it may do less than before, its tokens die at once.",
        responses=refuses(*CHANGED, errors.AudienceNotAllowed),
    )
    async def change(self, request: Asking, client_id: ClientPath, data: JSONBody[Changes]) -> ServiceAccountView:
        command = accounts.ChangeServiceAccount(
            client_id=ClientId(client_id),
            name=data.name,
            audiences=data.audiences,
            permissions=data.permissions,
            token_ttl=data.token_ttl,
            owner_id=data.owner_id,
        )
        request.wrote(await accounts.change_service_account(command, request.context(), request.world.ports), stream(command.client_id))
        return await read_service_account(command.client_id, request.world.ports)

    @delete(
        "/{client_id:str}",
        operation_id="deleteServiceAccount",
        summary="End a service account",
        description="Its tokens and secrets are worth nothing from now on, and its API keys are revoked. There is no way back.",
        responses=refuses(*CHANGED),
    )
    async def end(self, request: Asking, client_id: ClientPath) -> None:
        command = accounts.DeleteServiceAccount(client_id=ClientId(client_id))
        request.wrote(await accounts.delete_service_account(command, request.context(), request.world.ports), stream(command.client_id))

    @post(
        "/{client_id:str}/disable",
        operation_id="disableServiceAccount",
        status_code=204,
        summary="Stop a service account",
        description="Its tokens die at once; secrets and keys open nothing until it is enabled.",
        responses=refuses(*CHANGED),
    )
    async def disable(self, request: Asking, client_id: ClientPath, data: JSONBody[Disabling]) -> None:
        command = accounts.DisableServiceAccount(client_id=ClientId(client_id), reason=data.reason)
        request.wrote(await accounts.disable_service_account(command, request.context(), request.world.ports), stream(command.client_id))

    @post(
        "/{client_id:str}/enable",
        operation_id="enableServiceAccount",
        status_code=204,
        summary="Let a stopped service account go on",
        description="Tokens from before stay dead.",
        responses=refuses(*CHANGED),
    )
    async def enable(self, request: Asking, client_id: ClientPath) -> None:
        command = accounts.EnableServiceAccount(client_id=ClientId(client_id))
        request.wrote(await accounts.enable_service_account(command, request.context(), request.world.ports), stream(command.client_id))
