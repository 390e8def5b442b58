"""A second factor enrolled while signing in, where one is demanded that the account does not have."""

from litestar import Controller, post
from litestar.params import JSONBody

from api.asking import Asking
from api.factors import NewTotp, new_totp
from api.issuing import enrolled
from api.refuse import refuses
from api.token_pairs import EnrolledPair
from commands.enrol_at_sign_in import (
    ConfirmTotpAtSignIn,
    OfferAtSignIn,
    RegisterPasskeyAtSignIn,
    confirm_totp_at_sign_in,
    offer_passkey_at_sign_in,
    offer_totp_at_sign_in,
    register_passkey_at_sign_in,
)
from commands.enrol_passkey import OfferedPasskey
from domain import errors

_OFFERED = (errors.InvalidChallenge, errors.Contended)
_BEGUN = (
    errors.InvalidChallenge, errors.InvalidFactor, errors.InvalidCredentials, errors.AudienceNotAllowed, errors.StrongerFactorRequired,
    errors.Contended,
)  # fmt: skip


class Enrolling(Controller):
    path = "/api/v1/auth/login/enrol"
    tags = ("factors",)

    @post(
        "/totp",
        operation_id="offerTotpAtLogin",
        summary="Get a seed for codes by time, to sign in with",
        description="For the challenge of a sign-in that said `enrolment_required`. It counts for nothing until a code of it comes back.",
        responses=refuses(*_OFFERED),
    )
    async def offer_totp(self, request: Asking, data: JSONBody[OfferAtSignIn]) -> NewTotp:
        return new_totp(await offer_totp_at_sign_in(data, request.context(), request.world.ports))

    @post(
        "/totp/confirm",
        operation_id="confirmTotpAtLogin",
        status_code=200,
        summary="Show a first code by time, and be signed in",
        description="With a first factor come ten recovery codes: keep them apart from it.",
        responses=refuses(*_BEGUN),
    )
    async def confirm_totp(self, request: Asking, data: JSONBody[ConfirmTotpAtSignIn]) -> EnrolledPair:
        return await enrolled(confirm_totp_at_sign_in(data, request.context(), request.world.ports))

    @post(
        "/passkeys/options",
        operation_id="offerPasskeyAtLogin",
        status_code=200,
        summary="Get what a browser needs to make a passkey to sign in with",
        description="For the challenge of a sign-in that said `enrolment_required`. Nothing is stored.",
        responses=refuses(*_OFFERED),
    )
    async def offer_passkey(self, request: Asking, data: JSONBody[OfferAtSignIn]) -> OfferedPasskey:
        return await offer_passkey_at_sign_in(data, request.world.ports)

    @post(
        "/passkeys",
        operation_id="registerPasskeyAtLogin",
        status_code=200,
        summary="Register a passkey, and be signed in",
        description="With a first factor come ten recovery codes: keep them apart from it.",
        responses=refuses(*_BEGUN, errors.TooManyFactors),
    )
    async def register_passkey(self, request: Asking, data: JSONBody[RegisterPasskeyAtSignIn]) -> EnrolledPair:
        return await enrolled(register_passkey_at_sign_in(data, request.context(), request.world.ports))
