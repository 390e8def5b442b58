"""A new password by a link from a mail: the proof is that its mailbox is read, and a second factor where one is enrolled."""

from msgspec import Struct

from commands.choose_password import destroy_left
from commands.context import Context
from commands.keys_of_owner import OwnersKeys, with_keys_of
from commands.mailed_link import Link, LiveLink, MailTokenText, Shows, live_link, show_with_link
from commands.new_password import erasure_read, lift_locks, remembered, remove_factors, sealed_choice, void_erasure
from commands.ports import Assertion, Ports
from commands.ports.mail import MailToken, MailTokenKind
from commands.register_user import PasswordText
from commands.show_factor import CodeText
from commands.sign_in_challenge import ChallengeText, Factor
from commands.transact import Read, Transaction, read_states, transact
from domain import factors, mailbox_proof, password_reset, user
from domain.account import Account
from domain.api_key import KeyRevocation
from domain.errors import MailTokenInvalid, SecondFactorRequired
from domain.ids import ResetId, StreamName, UserId
from domain.password_reset import Asked
from domain.user import Active


class CheckReset(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    token: MailTokenText

    def __repr__(self) -> str:
        return "CheckReset(...)"


class ResetPassword(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a second factor is enrolled, `factor` and `code` are needed, or for a passkey `challenge` and `assertion`.

    `revoke_api_keys` ends every key of the account, too.
    """

    token: MailTokenText
    new_password: PasswordText
    factor: Factor = Factor.TOTP
    code: CodeText | None = None
    challenge: ChallengeText | None = None
    assertion: Assertion | None = None
    revoke_api_keys: bool = False

    def __repr__(self) -> str:
        return "ResetPassword(...)"


class _Found(Struct, frozen=True, kw_only=True):
    account: Account
    link: Link
    asked: Asked

    @property
    def factor_required(self) -> bool:
        """Factors of an account that may have been another's are whoever's opened it: they go, and nobody is asked for them."""
        return self.link.enrolled.enrolled and not self.account.doubtful


async def check_reset(command: CheckReset, ports: Ports) -> LiveLink:
    """Look at a token without using it. Raises MailTokenInvalid."""
    found = await _live(_read(command.token, ports), ports)
    return live_link(found.link, expires_at=found.asked.expires_at, factor_required=found.factor_required, ports=ports)


async def reset_password(command: ResetPassword, ctx: Context, ports: Ports) -> None:
    """Set the password and end every session. Raises MailTokenInvalid, PasswordUnacceptable, SecondFactorRequired, Overloaded,

    and InvalidFactor, InvalidChallenge, ProofIncomplete, FactorPaused, FactorBlocked.
    """
    token = _read(command.token, ports)
    found = await _live(token, ports)  # before the hash: only a genuine token costs one
    shows = Shows(command.factor, command.code, command.challenge, command.assertion)
    shown = await show_with_link(shows, found.link, ctx, ports) if found.factor_required else None
    sealed = await sealed_choice(command.new_password, found.account, ctx, ports)
    user_id = UserId(token.subject)
    of_user, of_reset, of_factors = _streams(token)

    def decide(tx: Transaction, keys: OwnersKeys) -> None:
        who = _active(tx.state(user.decider, of_user))
        enrolled = tx.state(factors.decider, of_factors)
        if shown is None and enrolled.enrolled and not who.doubtful:  # since it was looked at
            raise SecondFactorRequired
        asked = tx.state(password_reset.decider, of_reset)
        tx.record(password_reset.decider, of_reset, password_reset.use(asked, who, reset_id=ResetId(token.about), at=tx.at))
        if shown is not None:
            shown.record(tx, user_id)
        elif who.doubtful:
            remove_factors(tx, user_id)
            void_erasure(tx, user_id)
        if command.revoke_api_keys or who.doubtful:
            keys.end(tx, KeyRevocation.PASSWORD_RESET)
        state = tx.state(user.decider, of_user)
        tx.record(user.decider, of_user, mailbox_proof.reset_password(state, password=sealed, remembered=remembered(who, ports), at=tx.at))

    async def set_it(keys: OwnersKeys) -> None:
        await transact(ports, ctx, [*_reads(token), erasure_read(user_id), *keys.reads], lambda tx: decide(tx, keys))

    await with_keys_of(user_id, ports, set_it)
    await destroy_left(of_user, ports)
    await lift_locks(user_id, ports, codes=not found.link.enrolled.enrolled)


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
    live = password_reset.require_live(asked, account, reset_id=ResetId(token.about), at=tx.at)
    link = Link(account.user_id, live.reset_id, tx.state(factors.decider, of_factors), tx)
    return _Found(account=account, link=link, asked=live)


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
