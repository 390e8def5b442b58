"""A password is shown, a session begins. Unknown, wrong, suspended and locked look and cost the same (threats.md 15, 16)."""

from contextlib import suppress
from typing import Annotated

from msgspec import Meta, Struct

from commands.context import Context
from commands.find_account import find_account, known_device, open_password
from commands.login_names import guarded_name
from commands.ports import Ports
from commands.register_user import NameText, PasswordText
from commands.rehash_password import rehash_password
from commands.sign_in_attempt import Attempt, count_attempt, remember_failure
from commands.sign_in_challenge import EnrolmentRequired, FactorRequired, ask_for_more, challenge_for, is_doubted
from commands.start_session import Entry, start_session
from commands.token_answer import SignedIn
from domain.claim import ClaimKind
from domain.errors import (
    AudienceNotAllowed,
    Contended,
    EmailNotVerified,
    InvalidCredentials,
    LoginNameRequired,
    Overloaded,
    StoreUnavailable,
    StrongerFactorRequired,
)
from domain.factor_policy import is_enough
from domain.ids import AudienceName, AudienceSlug, SessionId
from domain.session import MINOS
from domain.session_events import AuthMethod


class SignIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Exactly one of `email` and `username`. Without `audience` the token is for Minos itself."""

    password: PasswordText
    email: Annotated[str, Meta(max_length=320)] | None = None
    username: Annotated[str, Meta(max_length=320)] | None = None
    audience: AudienceSlug | None = None
    device_name: NameText | None = None
    device_token: Annotated[str, Meta(max_length=512)] | None = None

    def __repr__(self) -> str:
        return "SignIn(...)"


async def sign_in(command: SignIn, ctx: Context, ports: Ports) -> SignedIn | FactorRequired | EnrolmentRequired:
    """Begin a session and issue its first token, or say what is asked for besides the password.

    Raises InvalidCredentials, EmailNotVerified, AudienceNotAllowed, Overloaded, and StrongerFactorRequired where more is asked for than
    a moment ago.
    """
    kind, text = _login_name(command)
    audience = command.audience or MINOS
    presented = None if command.device_token is None else ports.mint.read_device_token(command.device_token)
    if presented is None:
        ports.hasher.require_room(network=ctx.network)  # a flood is turned away before it costs a read
    name = guarded_name(kind, text)
    found = await find_account(kind, name, ports, audience=audience)
    device = known_device(presented, found.account)
    if presented is not None and device is None:
        ports.hasher.require_room(network=ctx.network)  # somebody's device, and a stranger's here
    encoded = await open_password(found, ports)  # before the attempt counts: nobody is to be locked out because a store is away
    if encoded is None and found.has_password:  # another sign-in has just put a stronger hash in its place
        found = await find_account(kind, name, ports, audience=audience)
        encoded, device = await open_password(found, ports), known_device(presented, found.account)
    attempt = await count_attempt(name, found, device, ctx, ports)
    # A locked name still costs a hash, so that the lock cannot be told from a wrong password by the clock.
    answer = await _settled(command, attempt, encoded if attempt.reading.may_try else None, ctx, ports, audience=audience)
    with suppress(StoreUnavailable):  # the session is there, and its tokens must reach their owner; a count too high is the safe side
        if isinstance(answer, SignedIn):
            await attempt.forgive(ports)
        else:  # a right password alone makes up for no wrong one
            await attempt.take_back(ports)
    return answer


async def _settled(
    command: SignIn, attempt: Attempt, encoded: str | None, ctx: Context, ports: Ports, *, audience: AudienceName
) -> SignedIn | FactorRequired | EnrolmentRequired:
    """Look at the password; where that is refused, leave the counters as what was tried deserves."""
    try:
        return await _proven(command, attempt, encoded, ctx, ports, audience=audience)
    except InvalidCredentials:
        await remember_failure(attempt, ctx, ports)
        raise
    except EmailNotVerified:
        await attempt.forgive_guessing(ports)
        raise
    except (AudienceNotAllowed, Contended, Overloaded, StoreUnavailable, StrongerFactorRequired):
        await attempt.take_back(ports)
        raise


async def _proven(
    command: SignIn, attempt: Attempt, encoded: str | None, ctx: Context, ports: Ports, *, audience: AudienceName
) -> SignedIn | FactorRequired | EnrolmentRequired:
    """Begin the session or ask for more. Raises InvalidCredentials where the password is wrong, or right for what is no longer so."""
    found, device = attempt.found, attempt.device
    known_account = None if device is None else device.user_id
    verified = await ports.hasher.verify(encoded, command.password, account=known_account, network=ctx.network, alike=True)
    if found.account is None or not verified.matches or not found.active:
        raise InvalidCredentials
    if not (ports.policy.unverified_sign_in or found.account.email_verified) and found.account.recoverable_by_mail:
        raise EmailNotVerified
    if verified.outdated:
        await rehash_password(found.account, command.password, ctx, ports)
    entry = Entry(
        account=found.account,
        session_id=SessionId(ports.random.uuid7()),
        audience=audience,
        device_id=ports.random.uuid7() if device is None else device.device_id,
        device_name=command.device_name,
        methods=(AuthMethod.PASSWORD,),
        signals=attempt.signals(ports),
    )
    wanted = found.policy.asks(found.account.roles, audience)
    doubted = is_doubted(found.account, found.factors, entry.signals, ports)
    if doubted or not is_enough(entry.methods, wanted, enrolled=found.factors.enrolled):
        challenge = challenge_for(entry, known_device=device is not None, at=found.seen.at)
        return await ask_for_more(challenge, found.account, found.factors, wanted, ports)
    return await start_session(entry, ctx, ports, seen=found.seen)


def _login_name(command: SignIn) -> tuple[ClaimKind, str]:
    match command.email, command.username:
        case str(email), None:
            return ClaimKind.EMAIL, email
        case None, str(username):
            return ClaimKind.USERNAME, username
        case _:
            raise LoginNameRequired
