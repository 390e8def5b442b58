"""API keys: one's own, those of service accounts, and the end of one that leaked."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from litestar import Controller, delete, get, post
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct

from api.asking import Asking
from api.audit import moment
from api.lists import FIFTY, Cursor, Limit, Page, page, place, settle
from api.refuse import refuses
from api.users import SLUG
from commands import api_keys as use
from commands import revoke_api_key as ending
from commands import rotate_api_key as turning
from commands.new_key import NewApiKey, Ttl
from commands.read_api_keys import ApiKeyView, read_api_keys, read_keys_of
from domain import errors
from domain.api_key import KeyRevocation, stream
from domain.ids import ClientId, KeyId, UserId
from projections import api_keys
from projections.api_keys import ApiKeyFilter

_MADE = (errors.InvalidToken, errors.RightsExceeded, errors.AudienceNotAllowed, errors.KeyLifeTooLong, errors.TooManyKeys, errors.Contended)
_TURNED = (
    errors.InvalidToken, errors.RightsExceeded, errors.NoSuchApiKey, errors.ApiKeyEnded, errors.KeyLifeTooLong, errors.TooManyKeys,
    errors.Contended,
)  # fmt: skip
_ADMINISTERED = (errors.PermissionDenied, errors.NoSuchServiceAccount)


class KeyTurning(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    overlap: turning.Overlap = 86_400
    expires_in: Ttl | None = None


class LeakedKey(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    api_key: Annotated[str, Meta(min_length=1, max_length=256)]

    def __repr__(self) -> str:
        return "LeakedKey(...)"


class OwnKeys(Struct, frozen=True, kw_only=True):
    """Newest first, 50 at most."""

    data: list[ApiKeyView]


class MyApiKeys(Controller):
    path = "/api/v1/me/api-keys"
    tags = ("my account",)

    @get(operation_id="listMyApiKeys", summary="My API keys", responses=refuses(errors.InvalidToken))
    async def list_keys(self, request: Asking) -> OwnKeys:
        return OwnKeys(data=await read_keys_of(request.caller.user_id, request.world.ports))

    @post(
        operation_id="makeMyApiKey",
        summary="Make an API key of my own",
        description="It gives no more than I may do, now and at each use. The key is shown here and never again.",
        responses=refuses(*_MADE),
    )
    async def make(self, request: Asking, data: JSONBody[use.MakeApiKey]) -> NewApiKey:
        done = await use.make_own_key(data, request.repeatable(data), request.world.ports)
        return request.wrote(done, stream(done.result.key_id))

    @post(
        "/{key_id:uuid}/rotate",
        operation_id="rotateMyApiKey",
        status_code=200,
        summary="Give my key its next secret",
        description="The secret before goes on for `overlap` seconds.",
        responses=refuses(*_TURNED),
    )
    async def rotate(self, request: Asking, key_id: FromPath[UUID], data: JSONBody[KeyTurning]) -> NewApiKey:
        command = turning.RotateApiKey(key_id=KeyId(key_id), overlap=data.overlap, expires_in=data.expires_in)
        done = await turning.rotate_api_key(command, request.repeatable(command), request.world.ports, owner=request.caller.user_id)
        return request.wrote(done, stream(command.key_id))

    @delete(
        "/{key_id:uuid}",
        operation_id="revokeMyApiKey",
        summary="Revoke a key of mine",
        description="It opens nothing from now on.",
        responses=refuses(errors.InvalidToken, errors.NoSuchApiKey, errors.Contended),
    )
    async def revoke(self, request: Asking, key_id: FromPath[UUID]) -> None:
        command = ending.RevokeApiKey(key_id=KeyId(key_id), reason=KeyRevocation.BY_OWNER)
        done = await ending.revoke_own_key(command, request.caller.user_id, request.context(), request.world.ports)
        request.wrote(done, stream(command.key_id))


class ApiKeys(Controller):
    path = "/api/v1/api-keys"
    tags = ("api keys",)

    @get(
        operation_id="listApiKeys",
        summary="List API keys",
        description="Newest first, those that open something. Secrets are not in it.",
        responses=refuses(
            errors.InvalidToken, errors.PermissionDenied, errors.CursorInvalid, errors.StreamVersionInvalid, errors.TooManyWaiting
        ),
    )
    async def list_keys(  # noqa: PLR0917 - the framework calls by name
        self,
        request: Asking,
        user_id: Annotated[UUID | None, QueryParameter(description="Only of this person.")] = None,
        client_id: Annotated[str | None, QueryParameter(pattern=SLUG, description="Only of this service account.")] = None,
        expires_before: Annotated[datetime | None, QueryParameter(description="RFC 3339; only those that end before.")] = None,
        limit: Limit = FIFTY,
        cursor: Cursor = None,
    ) -> Page[ApiKeyView]:
        wanted = ApiKeyFilter(
            user_id=None if user_id is None else UserId(user_id),
            client_id=None if client_id is None else ClientId(client_id),
            expires_before=moment(request, "expires_before", expires_before),
        )
        after = place(request, cursor, UUID, repr(wanted))
        await settle(request, api_keys.api_keys)
        last = None if after is None else KeyId(after)
        found = await api_keys.page(request.world.models, matching_all=wanted, after=last, limit=limit)
        rows = await read_api_keys([row.key_id for row in found.rows], request.world.ports)
        return page(request, rows, found.next_after, found.freshness, repr(wanted))

    @post(
        operation_id="makeServiceApiKey",
        summary="Make an API key of a service account",
        description=("Within what the service account may do, by who may do all that it may. A person's key is made by nobody but them."),
        responses=refuses(*_MADE, *_ADMINISTERED),
    )
    async def make(self, request: Asking, data: JSONBody[use.MakeServiceKey]) -> NewApiKey:
        done = await use.make_service_key(data, request.repeatable(data), request.world.ports)
        return request.wrote(done, stream(done.result.key_id))

    @post(
        "/{key_id:uuid}/rotate",
        operation_id="rotateServiceApiKey",
        status_code=200,
        summary="Give a service account's key its next secret",
        responses=refuses(*_TURNED, errors.PermissionDenied),
    )
    async def rotate(self, request: Asking, key_id: FromPath[UUID], data: JSONBody[KeyTurning]) -> NewApiKey:
        command = turning.RotateApiKey(key_id=KeyId(key_id), overlap=data.overlap, expires_in=data.expires_in)
        done = await turning.rotate_api_key(command, request.repeatable(command), request.world.ports)
        return request.wrote(done, stream(command.key_id))

    @delete(
        "/{key_id:uuid}",
        operation_id="revokeApiKey",
        summary="Revoke a key, whoever's",
        responses=refuses(errors.InvalidToken, errors.PermissionDenied, errors.RightsExceeded, errors.NoSuchApiKey, errors.Contended),
    )
    async def revoke(self, request: Asking, key_id: FromPath[UUID]) -> None:
        command = ending.RevokeApiKey(key_id=KeyId(key_id), reason=KeyRevocation.ADMINISTRATIVE)
        request.wrote(await ending.revoke_api_key(command, request.context(), request.world.ports), stream(command.key_id))

    @post(
        "/revoke-leaked",
        operation_id="revokeLeakedApiKey",
        status_code=204,
        summary="End a key that was found somewhere",
        description="Whoever holds a key may end it. What is no live key of ours gets the same answer.",
        responses=refuses(errors.Contended),
    )
    async def revoke_leaked(self, request: Asking, data: JSONBody[LeakedKey]) -> None:
        await ending.revoke_leaked_key(data.api_key, request.context(), request.world.ports)
