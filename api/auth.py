"""Accounts and sessions as anybody meets them: register, sign in, refresh, sign out, prove it again."""

from typing import Annotated, Literal, TypeVar, cast

from litestar import Controller, Response, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import JSONBody
from msgspec import Meta, Struct

from api.asking import Asking
from api.issuing import completed, entered, refreshed, signed_in
from api.refuse import refuses
from api.token_pairs import EnrolmentNeeded, FactorNeeded, TokenPair, token_pair
from commands.begin_registration import Begun, begin_registration
from commands.bootstrap import BootstrapAdministrator, bootstrap
from commands.change_password import ChangePassword, change_password
from commands.complete_sign_in import CompleteSignIn
from commands.identify import SessionStanding, standing
from commands.issue_token import IssueToken
from commands.mailed_codes import CodeAsked, ask_for_code
from commands.open_account import Registered
from commands.reauthenticate import Reauthenticate, ask_for_proof, reauthenticate
from commands.register_user import RegisterUser, register_user
from commands.resend_code import ResendCode, resend_code
from commands.send_code import CodeSent
from commands.sign_in import SignIn
from commands.sign_in_with_passkey import AskForPasskey, PasskeyAsked, SignInWithPasskey, ask_for_passkey
from commands.sign_out import SignOut, sign_out
from domain import errors, session

R = TypeVar("R")


class FreshToken(Struct, frozen=True, kw_only=True):
    """An access token with a fresh `auth_time`, on the session there was; refreshing does not carry it on."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the name of a scheme
    expires_in: Annotated[int, Meta(ge=0, description="Whole seconds.")]

    def __repr__(self) -> str:
        return "FreshToken(...)"


class Bootstrap(Controller):
    path = "/api/v1/bootstrap"
    tags = ("accounts",)

    @post(
        operation_id="bootstrap",
        summary="Make the first administrator",
        description="With the one-time code that start-up prints. Once there is an administrator the answer is 410 for ever.",
        responses=refuses(
            errors.BootstrapClosed, errors.BootstrapCodeInvalid, errors.EmailTaken, errors.InvalidEmail,
            errors.PasswordUnacceptable, errors.IdempotencyKeyInvalid, errors.Overloaded,
        ),
    )  # fmt: skip
    async def bootstrap(self, request: Asking, data: JSONBody[BootstrapAdministrator]) -> Registered:
        ctx = request.repeatable(data, "password", "code")
        return (await bootstrap(data, ctx, request.world.ports)).result


class Auth(Controller):
    path = "/api/v1/auth"
    tags = ("accounts",)

    @post(
        "/register",
        operation_id="register",
        summary="Open an account",
        description=(
            "Rights are never chosen here: the account gets the default role. Where addresses have to be proved first the answer is 202, "
            "the same for every address; the mailbox learns the rest. Send `registration` along with the token of the mail's link to keep "
            "the password chosen here."
        ),
        responses=refuses(
            errors.EmailTaken, errors.UsernameTaken, errors.InvalidEmail, errors.InvalidUsername,
            errors.PasswordUnacceptable, errors.RegistrationClosed, errors.IdempotencyKeyInvalid, errors.Overloaded,
        ) | {202: ResponseSpec(Begun, generate_examples=False, description="A mail is on its way, if one is due.")},
    )  # fmt: skip
    async def register(self, request: Asking, data: JSONBody[RegisterUser]) -> Response[Registered]:
        ports = request.world.ports
        if ports.policy.email_verification == "required":
            begun = await begin_registration(data, request.context(), ports)
            return cast("Response[Registered]", Response(begun, status_code=202))  # described above, beside the usual answer
        return Response((await register_user(data, request.repeatable(data, "password"), ports)).result)

    @post(
        "/login",
        operation_id="login",
        status_code=200,
        summary="Sign in with a password",
        description=(
            "Unknown name, wrong password, suspended and locked accounts get the same answer in the same time. "
            "Keep `device_token`, and send it next time: a device that signed in before is not locked out by strangers. "
            "An account with a second factor gets a challenge instead of tokens; so does one of which a factor is demanded that it has not "
            "enrolled: enrol it with the challenge, at `auth/login/enrol`."
        ),
        responses=refuses(
            errors.InvalidCredentials, errors.EmailNotVerified, errors.LoginNameRequired, errors.AudienceNotAllowed,
            errors.StrongerFactorRequired, errors.Overloaded,
        ),
    )  # fmt: skip
    async def login(self, request: Asking, data: JSONBody[SignIn]) -> TokenPair | FactorNeeded | EnrolmentNeeded:
        return await signed_in(data, request.context(), request.exchange, request.world)

    @post(
        "/login/factor",
        operation_id="completeLogin",
        status_code=200,
        summary="Show a second factor",
        description=(
            "Completes the sign-in whose challenge this is, once, within five minutes. Wrong codes are counted for the account, whichever "
            "challenge they are for: ten in a row begin a pause, a hundred leave recovery codes alone. A code counts once. A recovery code "
            "signs in, and is no proof for anything that asks for a second factor. Where more is demanded than the account has, "
            "showing what it has gets a challenge to enrol what it lacks."
        ),
        responses=refuses(
            errors.InvalidChallenge, errors.InvalidFactor, errors.InvalidCredentials, errors.FactorPaused, errors.FactorBlocked,
            errors.StrongerFactorRequired, errors.Contended,
        ),
    )  # fmt: skip
    async def complete_login(self, request: Asking, data: JSONBody[CompleteSignIn]) -> TokenPair | FactorNeeded | EnrolmentNeeded:
        return await completed(data, request.context(), request.world)

    @post(
        "/login/factor/resend",
        operation_id="resendLoginCode",
        status_code=202,
        summary="Have the code of a sign-in mailed, once more",
        description=(
            "For a challenge that names `email` among its factors. It is the same code each time, good for ten minutes from the password "
            "on, and for five tries in all."
        ),
        responses=refuses(errors.InvalidChallenge, errors.InvalidFactor, errors.MailLimited),
    )
    async def resend_code(self, request: Asking, data: JSONBody[ResendCode]) -> CodeSent:
        return await resend_code(data, request.world.ports)

    @post(
        "/passkeys/challenge",
        operation_id="askForPasskey",
        status_code=200,
        summary="Get what a browser needs to sign in with a passkey",
        description="For anybody, and the same for all: which passkey answers is not known yet. Good for five minutes and one session.",
        responses=refuses(errors.Overloaded),
    )
    async def ask_for_passkey(self, request: Asking, data: JSONBody[AskForPasskey]) -> PasskeyAsked:
        return await ask_for_passkey(data, request.world.ports)

    @post(
        "/login/passkey",
        operation_id="loginWithPasskey",
        status_code=200,
        summary="Sign in with a passkey",
        description="Without a name and without a password: the passkey says who it is, and counts as two factors that cannot be phished.",
        responses=refuses(
            errors.InvalidChallenge, errors.InvalidFactor, errors.InvalidCredentials, errors.AudienceNotAllowed, errors.Contended
        ),
    )
    async def login_with_passkey(self, request: Asking, data: JSONBody[SignInWithPasskey]) -> TokenPair:
        return await entered(data, request.context(), request.world)

    @post(
        "/refresh",
        operation_id="refresh",
        status_code=200,
        summary="Exchange a refresh token for the next pair",
        description=(
            "Each refresh token works once; within 10 seconds the one before gives the same answer again. "
            "An older one ends the session: somebody has a copy."
        ),
        responses=refuses(
            errors.InvalidRefreshToken,
            errors.RefreshTokenReused,
            errors.AudienceNotAllowed,
            errors.StrongerFactorRequired,
            errors.Contended,
        ),
    )
    async def refresh(self, request: Asking, data: JSONBody[IssueToken]) -> TokenPair:
        return await refreshed(data, request.context(), request.exchange, request.world)

    @post(
        "/logout",
        operation_id="logout",
        status_code=204,
        summary="End this session, or all",
        description=(
            "Takes a token for any audience; `everywhere` needs one for Minos itself, or nothing ends. Effective when it returns; "
            "ending an ended session is no error."
        ),
        responses=refuses(errors.InvalidToken),
    )
    async def logout(self, request: Asking, data: JSONBody[SignOut]) -> None:
        await sign_out(data, request.claims, request.context(), request.world.ports)

    @get(
        "/session",
        operation_id="readAuthSession",
        summary="Is this token's session live?",
        description="Takes a token for any audience. Answered on the truth of this moment, never from a read model.",
        responses=refuses(errors.InvalidToken),
    )
    async def session(self, request: Asking) -> SessionStanding:
        return await standing(request.claims, request.world.ports)

    @post(
        "/reauthenticate",
        operation_id="reauthenticate",
        status_code=200,
        summary="Prove again who is there",
        description=(
            "With the password, with a factor, or with both: `acr` and `amr` of the token say what was shown here. A passkey signs a "
            "challenge of `auth/reauthenticate/challenge`; a mailed code goes with the password; recovery codes prove nothing."
        ),
        responses=refuses(
            errors.InvalidToken,
            errors.InvalidCredentials,
            errors.InvalidFactor,
            errors.InvalidChallenge,
            errors.ProofIncomplete,
            errors.FactorPaused,
            errors.FactorBlocked,
            errors.SessionEnded,
            errors.Overloaded,
            errors.Contended,
        ),
    )
    async def reauthenticate(self, request: Asking, data: JSONBody[Reauthenticate]) -> FreshToken:
        done = await reauthenticate(data, request.context(), request.world.ports)
        fresh = request.wrote(done, session.stream(request.caller.session_id))
        return FreshToken(access_token=fresh.access_token, expires_in=fresh.expires_in)

    @post(
        "/reauthenticate/challenge",
        operation_id="askForProof",
        status_code=200,
        summary="Get what a browser needs to prove it with a passkey",
        responses=refuses(errors.InvalidToken),
    )
    async def ask_for_proof(self, request: Asking) -> PasskeyAsked:
        return await ask_for_proof(request.context(), request.world.ports)

    @post(
        "/reauthenticate/code",
        operation_id="askForCode",
        status_code=202,
        summary="Have a code mailed that proves who is there",
        description="Where mailed codes are the strongest factor enrolled. Send the challenge back with the code to `auth/reauthenticate`.",
        responses=refuses(errors.InvalidToken, errors.InvalidFactor, errors.SessionEnded, errors.EmailNotVerified, errors.MailLimited),
    )
    async def ask_for_code(self, request: Asking) -> CodeAsked:
        return await ask_for_code(request.context(), request.world.ports)

    @post(
        "/password/change",
        operation_id="changePassword",
        status_code=200,
        summary="Choose a new password",
        description="Every other session ends; this one goes on with the pair and the device token in the answer.",
        responses=refuses(
            errors.InvalidToken,
            errors.InvalidCredentials,
            errors.ReauthenticationRequired,
            errors.PasswordUnacceptable,
            errors.StrongerFactorRequired,
            errors.SessionEnded,
            errors.Overloaded,
        ),
        opt={"password_pointer": "/new_password"},
    )
    async def change_password(self, request: Asking, data: JSONBody[ChangePassword]) -> TokenPair:
        done = await change_password(data, request.context(), request.world.ports)
        return token_pair(request.wrote(done, session.stream(request.caller.session_id)))
