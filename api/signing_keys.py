"""The keys that sign, each for one purpose, as operators see and turn them."""

from typing import Annotated

from litestar import Controller, get, post
from litestar.params import JSONBody, PathParameter, QueryParameter
from msgspec import UNSET, Struct, UnsetType

from api.asking import Asking
from api.lists import FIFTY, Cursor, Limit, Page, page, place, settle
from api.refusals import Fault, ValidationFailed
from api.refuse import refuses
from commands.signing_keys import RevokeSigningKey, Rotated, RotateSigningKey, revoke_signing_key, rotate_signing_key
from domain import errors
from domain.ids import Kid
from domain.signing_key import Algorithm, KeyRevocation, Purpose, stream
from projections import signing_keys
from projections.signing_keys import KeyStage, SigningKeyRow

KidPath = Annotated[str, PathParameter(pattern=r"^[A-Za-z0-9_-]{43}$(?!\n)", description="The key's RFC 7638 thumbprint.")]


class Rotation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Without `algorithm`, the one of the settings. Only for access tokens there is a choice."""

    purpose: Purpose = Purpose.ACCESS
    algorithm: Algorithm | UnsetType = UNSET


class Revocation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    reason: KeyRevocation = KeyRevocation.COMPROMISED


class SigningKeys(Controller):
    path = "/api/v1/signing-keys"
    tags = ("signing keys",)

    @get(
        operation_id="listSigningKeys",
        summary="List signing keys",
        responses=refuses(
            errors.InvalidToken, errors.PermissionDenied, errors.CursorInvalid, errors.StreamVersionInvalid, errors.TooManyWaiting
        ),
    )
    async def list_keys(
        self,
        request: Asking,
        stage: Annotated[KeyStage | None, QueryParameter(description="Only keys in this stage.")] = None,
        purpose: Annotated[Purpose | None, QueryParameter(description="Only keys for this.")] = None,
        limit: Limit = FIFTY,
        cursor: Cursor = None,
    ) -> Page[SigningKeyRow]:
        asked = f"{stage} {purpose}"
        after = None if (name := place(request, cursor, str, asked)) is None else Kid(name)
        await settle(request, signing_keys.signing_keys)
        found = await signing_keys.page(request.world.models, stage=stage, purpose=purpose, after=after, limit=limit)
        return page(request, found.rows, found.next_after, found.freshness, asked)

    @post(
        "/rotate",
        operation_id="rotateSigningKey",
        status_code=200,
        summary="Turn the signing key",
        description="The key published ahead signs from now on; the one before verifies until its last token has expired.",
        responses=refuses(errors.InvalidToken, errors.PermissionDenied, errors.Contended),
    )
    async def rotate(self, request: Asking, data: JSONBody[Rotation]) -> Rotated:
        algorithm = data.algorithm or Algorithm(request.world.settings.signing_algorithm)
        command = RotateSigningKey(algorithm=algorithm, purpose=data.purpose)
        if data.algorithm and command.use.algorithm is not data.algorithm:
            raise ValidationFailed([Fault(pointer="/algorithm", code="not_for_purpose", detail=f"It is {command.use.algorithm} here.")])
        done = await rotate_signing_key(command, request.context(), request.world.ports)
        return request.wrote(done, stream(done.result.active))

    @post(
        "/{kid:str}/revoke",
        operation_id="revokeSigningKey",
        status_code=204,
        summary="Withdraw a signing key",
        description="Every token it signed is refused from now on.",
        responses=refuses(errors.InvalidToken, errors.PermissionDenied, errors.NoSuchSigningKey, errors.Contended),
    )
    async def revoke(self, request: Asking, kid: KidPath, data: JSONBody[Revocation]) -> None:
        command = RevokeSigningKey(kid=Kid(kid), reason=data.reason)
        request.wrote(await revoke_signing_key(command, request.context(), request.world.ports), stream(Kid(kid)))
