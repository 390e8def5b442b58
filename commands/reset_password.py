"""A new password by a link from a mail: the proof is that its mailbox is read, and a second factor where one is enrolled."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from commands.choose_password import destroy_left
from commands.context import Context
from commands.keys_of_owner import OwnersKeys, with_keys_of
from commands.new_password import lift_locks, remembered, remove_factors, sealed_choice
from commands.ports import Ports
from commands.ports.mail import MailToken, MailTokenKind
from commands.register_user import PasswordText
from commands.show_factor import CodeText, Shower, Shown, show_code
from commands.sign_in_challenge import Factor
from commands.transact import Read, Transaction, read_states, transact
from domain import factors, mailbox_proof, password_reset, user
from domain.account import Account
from domain.api_key import KeyRevocation
from domain.errors import MailTokenInvalid, SecondFactorRequired
from domain.factors import Factors
from domain.ids import ResetId, StreamName, UserId
from domain.password_reset import Asked
from domain.user import Active

MailTokenText = Annotated[
    str, Meta(min_length=1, max_length=256, description="The token of a link in a mail: what follows `#token=` in it.")
]


class CheckReset(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    token: MailTokenText

    def __repr__(self) -> str:
        return "CheckReset(...)"


class ResetPassword(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`factor` and `code` are needed where a second factor is enrolled. `revoke_api_keys` ends every key of the account, too."""

    token: MailTokenText
    new_password: PasswordText
    factor: Factor = Factor.TOTP
    code: CodeText | None = None
    revoke_api_keys: bool = False

    def __repr__(self) -> str:
        return "ResetPassword(...)"


class LiveReset(Struct, frozen=True, kw_only=True):
    """The link still works, until then; and whether a second factor has to be shown with it."""

    expires_at: datetime
    factor_required: bool


class _Found(Struct, frozen=True, kw_only=True):
    account: Account
    enrolled: Factors
    asked: Asked
    at: datetime

    @property
    def factor_required(self) -> bool:
        """Factors of an account that may have been another's are whoever's opened it: they go, and nobody is asked for them."""
        return self.enrolled.enrolled and not self.account.doubtful


async def check_reset(command: CheckReset, ports: Ports) -> LiveReset:
    """Look at a token without using it. Raises MailTokenInvalid."""
    found = await _live(_read(command.token, ports), ports)
    return LiveReset(expires_at=found.asked.expires_at, factor_required=found.factor_required)


async def reset_password(command: ResetPassword, ctx: Context, ports: Ports) -> None:
    """Set the password and end every session. Raises MailTokenInvalid, PasswordUnacceptable, SecondFactorRequired, Overloaded,

    and InvalidFactor, FactorPaused, FactorBlocked.
    """
    token = _read(command.token, ports)
    found = await _live(token, ports)  # before the hash: only a genuine token costs one
    shown = await _second_factor(command, found, ctx, ports)
    sealed = await sealed_choice(command.new_password, found.account, ctx, ports)
    user_id = UserId(token.subject)
    of_user, of_reset, of_factors = _streams(token)

    def decide(tx: Transaction, keys: OwnersKeys) -> None:
        who = _active(tx.state(user.decider, of_user))
        enrolled = tx.state(factors.decider, of_factors)
        if shown is None and enrolled.enrolled and not who.doubtful:  # since it was looked at
            raise SecondFactorRequired
        asked = tx.state(password_reset.decider, of_reset)
        used = password_reset.use(asked, user_id=user_id, reset_id=ResetId(token.about), email_claim=who.email_claim, at=tx.at)
        tx.record(password_reset.decider, of_reset, used)
        if shown is not None:
            shown.record(tx, user_id)
        elif who.doubtful:
            remove_factors(tx, user_id)
        if command.revoke_api_keys or who.doubtful:
            keys.end(tx, KeyRevocation.PASSWORD_RESET)
        state = tx.state(user.decider, of_user)
        tx.record(user.decider, of_user, mailbox_proof.reset_password(state, password=sealed, remembered=remembered(who, ports), at=tx.at))

    async def set_it(keys: OwnersKeys) -> None:
        await transact(ports, ctx, [*_reads(token), *keys.reads], lambda tx: decide(tx, keys))

    await with_keys_of(user_id, ports, set_it)
    await destroy_left(of_user, ports)
    await lift_locks(user_id, ports)


async def _second_factor(command: ResetPassword, found: _Found, ctx: Context, ports: Ports) -> Shown | None:
    if not found.factor_required:
        return None
    if command.code is None:
        raise SecondFactorRequired
    user_id = found.account.user_id
    who = Shower(user_id, found.enrolled, ports.macs.login_name(f"factor:{user_id}"))
    return await show_code(command.factor, command.code, who, ctx, ports, at=found.at)


def _read(text: str, ports: Ports) -> MailToken:
    token = ports.mail_tokens.read(text)
    if token is None or token.kind is not MailTokenKind.RESET:
        raise MailTokenInvalid
    return token


async def _live(token: MailToken, ports: Ports) -> _Found:
    tx = await read_states(ports, _reads(token))
    of_user, of_reset, of_factors = _streams(token)
    account = _active(tx.state(user.decider, of_user))
    asked = tx.state(password_reset.decider, of_reset)
    live = password_reset.require_live(asked, reset_id=ResetId(token.about), email_claim=account.email_claim, at=tx.at)
    return _Found(account=account, enrolled=tx.state(factors.decider, of_factors), asked=live, at=tx.at)


def _streams(token: MailToken) -> tuple[StreamName, StreamName, StreamName]:
    user_id = UserId(token.subject)
    return user.stream(user_id), password_reset.stream(user_id), factors.stream(user_id)


def _reads(token: MailToken) -> list[Read]:
    of_user, of_reset, of_factors = _streams(token)
    return [(user.decider, of_user), (password_reset.decider, of_reset), (factors.decider, of_factors)]


def _active(state: user.User) -> Account:
    if not isinstance(state, Active):
        raise MailTokenInvalid
    return state.account
