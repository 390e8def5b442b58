"""A person's second factors: enrolled, listed, taken away."""

import io
from typing import Annotated
from uuid import UUID

import segno
from litestar import Controller, delete, get, patch, post
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.asking import Asking
from api.refuse import refuses
from commands.enrol_passkey import OfferedPasskey, RegisterPasskey, RenameFactor, offer_passkey, register_passkey, rename_factor
from commands.enrol_totp import ConfirmTotp, Enrolled, OfferedTotp, confirm_totp, offer_totp
from commands.mailed_codes import CodeAsked, EnableMailedCodes, enable_mailed_codes, offer_mailed_codes
from commands.own_factors import FactorViews, list_factors, remove_factor, switch_factor_off
from commands.read_profile import read_profile
from commands.recovery_codes import make_recovery_codes
from domain import errors, factors
from domain.ids import FactorId, UserId
from domain.recovery_code import HOW_MANY

_CHANGED = (errors.InvalidToken, errors.SessionEnded, errors.ReauthenticationRequired, errors.Contended)


class NewTotp(Struct, frozen=True, kw_only=True):
    """Shown once. Scan `qr`, or type `secret`; then send a code to `me/factors/totp/confirm`."""

    secret: Annotated[str, Meta(description="The seed, in base 32.")]
    uri: Annotated[str, Meta(description="What the QR code says: an `otpauth` address.")]
    qr: Annotated[str, Meta(description="The QR code as SVG.")]

    def __repr__(self) -> str:
        return "NewTotp(...)"


class NewRecoveryCodes(Struct, frozen=True, kw_only=True):
    """Shown once. Each works one time, in place of a factor that is not at hand."""

    recovery_codes: tuple[str, ...]
    remaining: int = HOW_MANY

    def __repr__(self) -> str:
        return "NewRecoveryCodes(...)"


class MyFactors(Controller):
    path = "/api/v1/me/factors"
    tags = ("factors",)

    @get(
        operation_id="listMyFactors",
        summary="My second factors",
        description="With how many recovery codes are left; what a factor's secret is, nobody is told again.",
        responses=refuses(errors.InvalidToken),
    )
    async def list_mine(self, request: Asking) -> FactorViews:
        return await list_factors(request.caller.user_id, request.world.ports)

    @post(
        "/totp",
        operation_id="offerTotp",
        summary="Get a seed for codes by time",
        description=(
            "For an authenticator application. It counts for nothing until one of its codes comes back; a seed that was shown "
            "before is forgotten, and an application in use goes on until the new one is confirmed."
        ),
        responses=refuses(*_CHANGED),
    )
    async def offer_totp(self, request: Asking) -> NewTotp:
        done = await offer_totp(request.context(), request.world.ports)
        return new_totp(request.wrote(done, factors.stream(request.caller.user_id)))

    @post(
        "/totp/confirm",
        operation_id="confirmTotp",
        status_code=200,
        summary="Show a first code by time",
        description="From now on a password alone signs nobody in. With a first factor come ten recovery codes: keep them apart from it.",
        responses=refuses(errors.InvalidFactor, *_CHANGED),
    )
    async def confirm_totp(self, request: Asking, data: JSONBody[ConfirmTotp]) -> Enrolled:
        done = await confirm_totp(data, request.context(), request.world.ports)
        return request.wrote(done, factors.stream(request.caller.user_id))

    @post(
        "/passkeys/options",
        operation_id="offerPasskey",
        status_code=200,
        summary="Get what a browser needs to make a passkey",
        description="Nothing is stored: send the challenge back with what `navigator.credentials.create()` gives, within five minutes.",
        responses=refuses(*_CHANGED),
    )
    async def offer_passkey(self, request: Asking) -> OfferedPasskey:
        return await offer_passkey(request.context(), request.world.ports)

    @post(
        "/passkeys",
        operation_id="registerPasskey",
        summary="Register a passkey",
        description=(
            "One that the authenticator finds without a name and uses after making sure of its user. From now on a password alone signs "
            "nobody in. With a first factor come ten recovery codes: keep them apart from it."
        ),
        responses=refuses(errors.InvalidChallenge, errors.InvalidFactor, errors.TooManyFactors, *_CHANGED),
    )
    async def register_passkey(self, request: Asking, data: JSONBody[RegisterPasskey]) -> Enrolled:
        done = await register_passkey(data, request.context(), request.world.ports)
        return request.wrote(done, factors.stream(request.caller.user_id))

    @post(
        "/email-otp",
        operation_id="offerMailedCodes",
        status_code=202,
        summary="Have a first code mailed, to turn mailed codes on",
        description="To the address of the account, once that was proved. Nothing has changed until the code comes back.",
        responses=refuses(errors.EmailNotVerified, errors.MailLimited, *_CHANGED),
    )
    async def offer_mailed_codes(self, request: Asking) -> CodeAsked:
        return await offer_mailed_codes(request.context(), request.world.ports)

    @post(
        "/email-otp/confirm",
        operation_id="enableMailedCodes",
        status_code=200,
        summary="Show a first mailed code",
        description=(
            "From now on a password alone signs nobody in. It is a weak factor: never phishing-resistant, none where a mail was the first "
            "proof, and passed over for what is stronger. With a first factor come ten recovery codes."
        ),
        responses=refuses(
            errors.InvalidChallenge, errors.InvalidFactor, errors.FactorPaused, errors.FactorBlocked, errors.EmailNotVerified, *_CHANGED
        ),
    )
    async def enable_mailed_codes(self, request: Asking, data: JSONBody[EnableMailedCodes]) -> Enrolled:
        done = await enable_mailed_codes(data, request.context(), request.world.ports)
        return request.wrote(done, factors.stream(request.caller.user_id))

    @patch(
        "/{factor_id:uuid}",
        operation_id="renameMyFactor",
        status_code=204,
        summary="Give a passkey another name",
        responses=refuses(errors.InvalidToken, errors.NoSuchFactor, errors.Contended),
    )
    async def rename(self, request: Asking, factor_id: FromPath[UUID], data: JSONBody[RenameFactor]) -> None:
        done = await rename_factor(FactorId(factor_id), data, request.context(), request.world.ports)
        request.wrote(done, factors.stream(request.caller.user_id))

    @post(
        "/recovery-codes",
        operation_id="makeRecoveryCodes",
        summary="Get new recovery codes",
        description="Those from before are worth nothing any more.",
        responses=refuses(errors.FactorNotEnrolled, *_CHANGED),
    )
    async def make_codes(self, request: Asking) -> NewRecoveryCodes:
        done = await make_recovery_codes(request.context(), request.world.ports)
        return NewRecoveryCodes(recovery_codes=request.wrote(done, factors.stream(request.caller.user_id)))

    @delete(
        "/{factor_id:uuid}",
        operation_id="removeMyFactor",
        summary="Take one of my factors away",
        description="With the last one its recovery codes go, and the password is enough again.",
        responses=refuses(errors.NoSuchFactor, *_CHANGED),
    )
    async def remove(self, request: Asking, factor_id: FromPath[UUID]) -> None:
        done = await remove_factor(FactorId(factor_id), request.context(), request.world.ports)
        request.wrote(done, factors.stream(request.caller.user_id))


class UserFactors(Controller):
    path = "/api/v1/users/{user_id:uuid}/factors"
    tags = ("factors",)

    @get(
        operation_id="listUserFactors",
        summary="The second factors of an account",
        responses=refuses(errors.InvalidToken, errors.PermissionDenied, errors.NoSuchUser),
    )
    async def list_theirs(self, request: Asking, user_id: FromPath[UUID]) -> FactorViews:
        await read_profile(UserId(user_id), request.world.ports)
        return await list_factors(UserId(user_id), request.world.ports)

    @delete(
        "/{factor_id:uuid}",
        operation_id="switchUserFactorOff",
        summary="Take a factor of somebody away",
        description="For whoever lost it: make sure by other means who asks. Nobody does it to who may do more than they.",
        responses=refuses(
            errors.InvalidToken, errors.PermissionDenied, errors.RightsExceeded, errors.NoSuchUser, errors.NoSuchFactor, errors.Contended
        ),
    )
    async def switch_off(self, request: Asking, user_id: FromPath[UUID], factor_id: FromPath[UUID]) -> None:
        done = await switch_factor_off(UserId(user_id), FactorId(factor_id), request.context(), request.world.ports)
        request.wrote(done, factors.stream(UserId(user_id)))


def new_totp(offered: OfferedTotp) -> NewTotp:
    return NewTotp(secret=offered.secret, uri=offered.uri, qr=qr_code(offered.uri))


def qr_code(text: str) -> str:
    """Draw a QR code as SVG, with the quiet zone that scanners need, without a script or an address of anybody's."""
    svg = io.BytesIO()
    segno.make(text, error="m", micro=False).save(svg, kind="svg", scale=4, xmldecl=False, svgclass=None, lineclass=None, nl=False)
    return svg.getvalue().decode()
