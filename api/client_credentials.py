"""What service accounts prove themselves with, as administrators turn it."""

from typing import Annotated
from uuid import UUID

from litestar import Controller, delete, post
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.asking import Asking
from api.refuse import refuses
from api.service_accounts import CHANGED, ClientPath
from api.signing_keys import KidPath
from commands import client_credentials as use
from commands.client_credentials import AddedKey
from commands.client_secrets import ClientSecret, SecretTtl
from domain import errors
from domain.client import stream
from domain.ids import ClientId, Kid, SecretId
from domain.signing_key import Algorithm, PublicJwk


class Rotation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    overlap: Annotated[int, Meta(ge=0, le=30 * 86_400, description="Seconds that the secret before goes on.")] = 86_400
    secret_ttl: SecretTtl | None = None


class NewPublicKey(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    algorithm: Algorithm
    public: PublicJwk


class ClientCredentials(Controller):
    path = "/api/v1/service-accounts/{client_id:str}"
    tags = ("service accounts",)

    @post(
        "/revoke-tokens",
        operation_id="revokeServiceAccountTokens",
        status_code=204,
        summary="Let every token of a service account die",
        responses=refuses(*CHANGED),
    )
    async def revoke_tokens(self, request: Asking, client_id: ClientPath) -> None:
        done = await use.revoke_client_tokens(ClientId(client_id), request.context(), request.world.ports)
        request.wrote(done, stream(ClientId(client_id)))

    @post(
        "/secrets",
        operation_id="rotateClientSecret",
        summary="Give a service account its next secret",
        description="Two live at a time: the one before goes on for `overlap` seconds. The secret is shown here and never again.",
        responses=refuses(*CHANGED),
    )
    async def rotate(self, request: Asking, client_id: ClientPath, data: JSONBody[Rotation]) -> ClientSecret:
        command = use.RotateClientSecret(client_id=ClientId(client_id), overlap=data.overlap, secret_ttl=data.secret_ttl)
        done = await use.rotate_client_secret(command, request.repeatable(command), request.world.ports)
        return request.wrote(done, stream(command.client_id))

    @delete(
        "/secrets/{secret_id:uuid}",
        operation_id="removeClientSecret",
        summary="End a secret at once",
        description="What was got by any of its secrets dies with it.",
        responses=refuses(*CHANGED),
    )
    async def remove_secret(self, request: Asking, client_id: ClientPath, secret_id: FromPath[UUID]) -> None:
        command = use.RemoveClientSecret(client_id=ClientId(client_id), secret_id=SecretId(secret_id))
        request.wrote(await use.remove_client_secret(command, request.context(), request.world.ports), stream(command.client_id))

    @post(
        "/keys",
        operation_id="addClientKey",
        summary="Register a public key for assertions",
        description="For `private_key_jwt` (RFC 7523). Keys are given here; none is ever fetched from an address.",
        responses=refuses(*CHANGED, errors.UnusableKey, errors.TooManyKeys),
    )
    async def add_key(self, request: Asking, client_id: ClientPath, data: JSONBody[NewPublicKey]) -> AddedKey:
        command = use.AddClientKey(client_id=ClientId(client_id), algorithm=data.algorithm, public=data.public)
        return request.wrote(await use.add_client_key(command, request.context(), request.world.ports), stream(command.client_id))

    @delete(
        "/keys/{kid:str}",
        operation_id="removeClientKey",
        summary="Withdraw a public key",
        description="What was got by any of its keys dies with it.",
        responses=refuses(*CHANGED),
    )
    async def remove_key(self, request: Asking, client_id: ClientPath, kid: KidPath) -> None:
        command = use.RemoveClientKey(client_id=ClientId(client_id), kid=Kid(kid))
        request.wrote(await use.remove_client_key(command, request.context(), request.world.ports), stream(command.client_id))
