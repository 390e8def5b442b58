"""A sign-in without a password: the passkey says who it is, and is two factors by itself."""

from base64 import urlsafe_b64decode
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct

from commands.audience_heads import audience_reads
from commands.complete_sign_in import begin_with
from commands.context import Context
from commands.ports import Assertion, PasskeySignIn, Ports
from commands.register_user import NameText
from commands.show_factor import Shower
from commands.show_passkey import Signed, show_passkey
from commands.sign_in_challenge import LIFE, ChallengeText, require_young
from commands.start_session import Entry
from commands.token_answer import SignedIn
from commands.transact import Read, Transaction, read_states
from domain import factors, session, user
from domain.errors import InvalidChallenge, InvalidFactor
from domain.ids import AudienceSlug, SessionId, UserId
from domain.session import MINOS
from domain.user import Active


class AskForPasskey(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Without `audience` the token is for Minos itself."""

    audience: AudienceSlug | None = None
    device_name: NameText | None = None
    device_token: Annotated[str, Meta(max_length=512)] | None = None

    def __repr__(self) -> str:
        return f"AskForPasskey(audience={self.audience})"


class SignInWithPasskey(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    challenge: ChallengeText
    assertion: Assertion

    def __repr__(self) -> str:
        return "SignInWithPasskey(...)"


class PasskeyAsked(Struct, frozen=True, kw_only=True):
    """`options` are for `navigator.credentials.get()`; the challenge comes back with what that gives, within `expires_in` seconds."""

    challenge: str
    options: dict[str, Any]
    expires_in: int = LIFE

    def __repr__(self) -> str:
        return "PasskeyAsked(...)"


async def ask_for_passkey(command: AskForPasskey, ports: Ports) -> PasskeyAsked:
    """Says nothing of anybody: which passkey will answer is not known yet. Whether its owner may have the audience, later."""
    presented = None if command.device_token is None else ports.mint.read_device_token(command.device_token)
    session_id = SessionId(ports.random.uuid7())
    challenge = PasskeySignIn(
        session_id=session_id,
        audience=command.audience or MINOS,
        device_id=ports.random.uuid7() if presented is None else presented.device_id,
        device_name=command.device_name,
        at=(await read_states(ports, [(session.decider, session.stream(session_id))])).at,
    )
    token = ports.challenges.seal(challenge)
    return PasskeyAsked(challenge=token, options=ports.passkeys.request_options(token))


async def sign_in_with_passkey(command: SignInWithPasskey, ctx: Context, ports: Ports) -> SignedIn:
    """Raises InvalidChallenge, InvalidFactor (for an account that may not sign in, too), AudienceNotAllowed."""
    challenge = ports.challenges.open(command.challenge)
    if not isinstance(challenge, PasskeySignIn):
        raise InvalidChallenge
    user_id = _owner(command.assertion)
    of_user, of_factors = user.stream(user_id), factors.stream(user_id)
    reads: list[Read] = [(user.decider, of_user), (factors.decider, of_factors)]
    tx = await read_states(ports, [*reads, *audience_reads([challenge.audience])])
    require_young(challenge.at, tx)
    who = tx.state(user.decider, of_user)
    if not isinstance(who, Active):
        raise InvalidFactor
    by = Shower(user_id, tx.state(factors.decider, of_factors))
    shown = await show_passkey(Signed(command.assertion, command.challenge, challenge.at), by, ctx, ports)
    entry = Entry(
        account=who.account,
        session_id=challenge.session_id,
        audience=challenge.audience,
        device_id=challenge.device_id,
        device_name=challenge.device_name,
        methods=shown.methods,
    )

    def require(tx: Transaction) -> None:
        require_young(challenge.at, tx)

    return await begin_with(entry, shown, require, ctx, ports)


def _owner(assertion: Assertion) -> UserId:
    """A key that is found without a name says whose it is (WebAuthn 5.8.5)."""
    try:
        return UserId(UUID(bytes=_raw(assertion.response.user_handle or "")))
    except ValueError:
        raise InvalidFactor from None


def _raw(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
