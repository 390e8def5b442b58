"""What is proved by a link in a mail: an address, and a new password. Nothing here is changed by a GET (scanners of mail open links)."""

from typing import Literal

from litestar import Controller, post
from litestar.params import JSONBody
from msgspec import Struct

from api.asking import Asking
from api.refuse import refuses
from commands.begin_registration import Begun
from commands.change_email import ChangeEmail, ask_to_change_email
from commands.forgot_password import ForgotPassword, forgot_password
from commands.mailed_link import LiveLink
from commands.reset_password import CheckReset, ResetPassword, check_reset, reset_password
from commands.undo_email import CheckUndo, UndoEmail, check_undo, undo_email
from commands.verify_email import ResendVerification, Verified, VerifyEmail, resend_to_address, resend_to_me, verify_email
from domain import errors

_CHOSEN = (errors.MailTokenInvalid, errors.PasswordUnacceptable, errors.Overloaded, errors.Contended)

_SHOWN = (
    errors.SecondFactorRequired, errors.InvalidFactor, errors.InvalidChallenge, errors.ProofIncomplete, errors.FactorPaused,
    errors.FactorBlocked,
)  # fmt: skip


class Accepted(Struct, frozen=True, kw_only=True):
    """Understood; whether any mail goes out is between us and the mailbox."""

    accepted: Literal[True] = True


class Mailed(Controller):
    path = "/api/v1/auth"
    tags = ("mail",)

    @post(
        "/email/verify",
        operation_id="verifyEmail",
        status_code=200,
        summary="Prove an address",
        description=(
            "The first proof of an address sets a new password and ends every session from before: whoever opened the account may "
            "have been another. Sign in with the new one then. Of an account that an administrator made or an import brought it "
            "proves the address, and nothing else changes. A change of address takes effect here, and needs `registration` besides."
        ),
        responses=refuses(
            *_CHOSEN,
            errors.EmailAlreadyVerified,
            errors.NewPasswordRequired,
            errors.NewPasswordNotTaken,
            errors.EmailTaken,
            errors.UsernameTaken,
            errors.AskerRequired,
            errors.EmailChangedLately,
        ),
        opt={"password_pointer": "/new_password"},
    )
    async def verify(self, request: Asking, data: JSONBody[VerifyEmail]) -> Verified:
        return await verify_email(data, request.context(), request.world.ports)

    @post(
        "/email/resend",
        operation_id="resendVerification",
        status_code=202,
        summary="Have the link to prove an address sent again",
        description=(
            "The answer is the same whether or not there is such an account. Three to one address and then one an hour, whoever asks."
        ),
        responses=refuses(errors.InvalidEmail),
    )
    async def resend(self, request: Asking, data: JSONBody[ResendVerification]) -> Accepted:
        await resend_to_address(data, request.context(), request.world.ports)
        return Accepted()

    @post(
        "/password/forgot",
        operation_id="forgotPassword",
        status_code=202,
        summary="Ask for a link to choose a new password",
        description=(
            "The answer is the same whether or not there is such an account. One a minute to one address, five and then one an hour; "
            "the newest link works."
        ),
        responses=refuses(errors.InvalidEmail),
    )
    async def forgot(self, request: Asking, data: JSONBody[ForgotPassword]) -> Accepted:
        await forgot_password(data, request.context(), request.world.ports)
        return Accepted()

    @post(
        "/password/reset/check",
        operation_id="checkPasswordReset",
        status_code=200,
        summary="Does this link still work?",
        description=(
            "Changes nothing, and uses nothing up. Where a second factor has to be shown with it, says which there are, with a challenge "
            "for a passkey to sign."
        ),
        responses=refuses(errors.MailTokenInvalid),
    )
    async def check(self, request: Asking, data: JSONBody[CheckReset]) -> LiveLink:
        return await check_reset(data, request.world.ports)

    @post(
        "/password/reset",
        operation_id="resetPassword",
        status_code=204,
        summary="Choose a new password by a link",
        description=(
            "Ends every session, lifts locks on the account, and proves its address. The link works once; a second factor is asked for, "
            "where one is enrolled."
        ),
        responses=refuses(
            *_CHOSEN,
            *_SHOWN,
        ),
        opt={"password_pointer": "/new_password"},
    )
    async def reset(self, request: Asking, data: JSONBody[ResetPassword]) -> None:
        await reset_password(data, request.context(), request.world.ports)

    @post(
        "/email/undo/check",
        operation_id="checkEmailUndo",
        status_code=200,
        summary="Can this change of address still be taken back?",
        description="Changes nothing, and uses nothing up. Says what has to be shown besides, as for a new password.",
        responses=refuses(errors.MailTokenInvalid),
    )
    async def check_undo(self, request: Asking, data: JSONBody[CheckUndo]) -> LiveLink:
        return await check_undo(data, request.world.ports)

    @post(
        "/email/undo",
        operation_id="undoEmail",
        status_code=204,
        summary="Take a change of address back",
        description=(
            "With the link that the earlier address was sent, for 72 hours. The address is what it was, with a new password; every session "
            "and every API key ends, and second factors and recovery codes that came since are worth nothing, an "
            "erasure asked for since is withdrawn. A factor that was enrolled "
            "before the change is asked for."
        ),
        responses=refuses(*_CHOSEN, *_SHOWN),
        opt={"password_pointer": "/new_password"},
    )
    async def undo(self, request: Asking, data: JSONBody[UndoEmail]) -> None:
        await undo_email(data, request.context(), request.world.ports)


class MyMail(Controller):
    path = "/api/v1/me/email"
    tags = ("me",)

    @post(
        operation_id="changeMyEmail",
        status_code=202,
        summary="Have my address changed",
        description=(
            "The new address gets a link; `auth/email/verify` takes its token together with `registration` from the answer here, and then "
            "the address is the new one. The answer is the same for addresses that have an account. The earlier address is told, and "
            "can take the change back for 72 hours; until then there is no other."
        ),
        responses=refuses(errors.InvalidToken, errors.InvalidEmail, errors.EmailChangedLately, errors.MailLimited),
    )
    async def change(self, request: Asking, data: JSONBody[ChangeEmail]) -> Begun:
        return await ask_to_change_email(data, request.context(), request.world.ports)

    @post(
        "/resend",
        operation_id="resendMyVerification",
        status_code=202,
        summary="Have the link to prove my address sent again",
        description="Three and then one an hour, together with those asked for without signing in.",
        responses=refuses(errors.InvalidToken, errors.EmailAlreadyVerified, errors.MailLimited),
    )
    async def resend(self, request: Asking) -> Accepted:
        await resend_to_me(request.context(), request.world.ports)
        return Accepted()
