"""Prove an address by a link from a mail, and have that mail sent again."""

from datetime import UTC, datetime

from msgspec import Struct

from commands.change_email import change_email
from commands.choose_password import destroy_left
from commands.context import Context
from commands.finish_registration import finish_registration
from commands.keys_of_owner import OwnersKeys, with_keys_of
from commands.login_names import normalise_email
from commands.mail_budgets import VERIFICATIONS, asked_by_anybody, to_address
from commands.mailed_link import MailTokenText
from commands.new_password import erasure_read, lift_locks, remove_factors, sealed_choice, void_erasure
from commands.ports import Ports
from commands.ports.mail import Letter, MailToken, MailTokenKind
from commands.read_profile import opened
from commands.register_user import EmailText, PasswordText, UsernameText
from commands.revoke_session import required
from commands.transact import Read, Transaction, read_states, transact
from domain import factors, mailbox_proof, user
from domain.account import Account
from domain.api_key import KeyRevocation
from domain.claim import ClaimKind
from domain.errors import EmailAlreadyVerified, MailLimited, MailTokenInvalid, NewPasswordNotTaken, NewPasswordRequired, NoSuchUser
from domain.ids import ClaimId, UserId
from domain.user import Active, account_of

VERIFY_TTL = 86_400
"""Seconds a link works after its mail was asked for."""


class VerifyEmail(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`new_password` is needed the first time anybody proves the address of an account that somebody opened for themselves, and taken
    for no other; where a registration waits, `registration` from its answer will do instead, and a change of address needs that of its
    own. `username` replaces one that was taken meanwhile."""

    token: MailTokenText
    new_password: PasswordText | None = None
    registration: MailTokenText | None = None
    username: UsernameText | None = None

    def __repr__(self) -> str:
        return "VerifyEmail(...)"


class Verified(Struct, frozen=True, kw_only=True):
    user_id: UserId


class ResendVerification(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    email: EmailText

    def __repr__(self) -> str:
        return "ResendVerification(...)"


async def verify_email(command: VerifyEmail, ctx: Context, ports: Ports) -> Verified:
    """The first proof of a mailbox: of an account that may have been another's the password becomes the one chosen now, and whoever
    was signed in is out, with their factors and keys (threats.md 2).

    Raises MailTokenInvalid, EmailAlreadyVerified, NewPasswordRequired, NewPasswordNotTaken, PasswordUnacceptable, Overloaded;
    where a registration waited, EmailTaken and UsernameTaken; where a change of address did, EmailTaken and AskerRequired.
    """
    token = ports.mail_tokens.read(command.token)
    match token:
        case MailToken(kind=MailTokenKind.VERIFY):
            return await _first_proof(token, command.new_password, ctx, ports)
        case MailToken(kind=MailTokenKind.PENDING):
            opened_now = await finish_registration(
                token,
                password=command.new_password,
                registration=command.registration,
                username=command.username,
                ctx=ctx,
                ports=ports,
            )
            return Verified(user_id=opened_now.user_id)
        case MailToken(kind=MailTokenKind.CHANGE):
            if command.new_password is not None:
                raise NewPasswordNotTaken
            return Verified(user_id=await change_email(token, command.registration, ctx, ports))
        case _:
            raise MailTokenInvalid


async def _first_proof(token: MailToken, password: str | None, ctx: Context, ports: Ports) -> Verified:
    user_id, claim = UserId(token.subject), ClaimId(token.about)
    of_user: Read = (user.decider, user.stream(user_id))
    tx = await read_states(ports, [of_user])
    if tx.at >= datetime.fromtimestamp(token.expires_at, UTC):
        raise MailTokenInvalid
    account = _unproved(tx.state(user.decider, of_user[1]), claim)
    if not account.doubtful:
        if password is not None:
            raise NewPasswordNotTaken
        return await _proof_alone(user_id, claim, ctx, ports)
    if password is None:
        raise NewPasswordRequired
    return await _proof_with_password(account, password, ctx, ports)


async def _proof_alone(user_id: UserId, claim: ClaimId, ctx: Context, ports: Ports) -> Verified:
    of_user = user.stream(user_id)

    def decide(tx: Transaction) -> Verified:
        tx.record(user.decider, of_user, mailbox_proof.prove_held(tx.state(user.decider, of_user), claim=claim, at=tx.at))
        return Verified(user_id=user_id)

    return (await transact(ports, ctx, [(user.decider, of_user)], decide)).result


async def _proof_with_password(account: Account, password: str, ctx: Context, ports: Ports) -> Verified:
    user_id, claim = account.user_id, account.email_claim
    of_user: Read = (user.decider, user.stream(user_id))
    sealed = await sealed_choice(password, account, ctx, ports)

    def decide(tx: Transaction, keys: OwnersKeys) -> Verified:
        state = tx.state(user.decider, of_user[1])
        tx.record(user.decider, of_user[1], mailbox_proof.prove_email(state, claim=claim, password=sealed, remembered=0, at=tx.at))
        remove_factors(tx, user_id)
        void_erasure(tx, user_id)
        keys.end(tx, KeyRevocation.PASSWORD_RESET)
        return Verified(user_id=user_id)

    async def prove(keys: OwnersKeys) -> Verified:
        reads = [of_user, (factors.decider, factors.stream(user_id)), erasure_read(user_id), *keys.reads]
        return (await transact(ports, ctx, reads, lambda tx: decide(tx, keys))).result

    proved = await with_keys_of(user_id, ports, prove)
    await destroy_left(of_user[1], ports)
    await lift_locks(user_id, ports)
    return proved


def _unproved(state: user.User, claim: ClaimId) -> Account:
    try:
        return mailbox_proof.require_unproved(state, claim=claim)
    except NoSuchUser:
        raise MailTokenInvalid from None


async def resend_to_address(command: ResendVerification, ctx: Context, ports: Ports) -> None:
    """Have the link sent again if there is such an account and it needs one, and say nothing either way. Raises InvalidEmail."""
    address = normalise_email(command.email)
    await ports.mailbox.ask(Letter.VERIFY_EMAIL, to=address, budgets=asked_by_anybody(VERIFICATIONS, address, ctx), keep_s=VERIFY_TTL)


async def resend_to_me(ctx: Context, ports: Ports) -> None:
    """The same for one's own account, on the same count. Raises EmailAlreadyVerified, MailLimited."""
    principal = required(ctx)
    of_user: Read = (user.decider, user.stream(principal.user_id))
    account = account_of((await read_states(ports, [of_user])).state(user.decider, of_user[1]))
    if account.email_verified:
        raise EmailAlreadyVerified
    email = await opened(account.email, of_user[1], "email", ports.vault)
    if email is None:
        raise NoSuchUser
    address = normalise_email(email)
    wait_s = await ports.mailbox.ask(
        Letter.VERIFY_EMAIL, to=principal.user_id, budgets=to_address(VERIFICATIONS, address), keep_s=VERIFY_TTL
    )
    if wait_s:
        raise MailLimited(wait_s)


async def unproved_account(address: str, ports: Ports) -> Account | None:
    """Find whose address it is, if the link would be of use to them and anybody may ask for it."""
    found = await ports.store.find_holder(ports.macs.claim_candidates(ClaimKind.EMAIL, normalise_email(address)))
    account = None if found.holder is None else await unproved(UserId(found.holder), ports)
    return account if account is not None and account.recoverable_by_mail else None


async def unproved(user_id: UserId, ports: Ports) -> Account | None:
    of_user: Read = (user.decider, user.stream(user_id))
    state = (await read_states(ports, [of_user])).state(user.decider, of_user[1])
    return state.account if isinstance(state, Active) and not state.account.email_verified else None


def verify_token(account: Account, *, asked_at: datetime, ports: Ports) -> str:
    """Give the token for the account's address; of one asking always the same."""
    token = MailToken(
        kind=MailTokenKind.VERIFY,
        subject=account.user_id,
        about=account.email_claim,
        expires_at=int(asked_at.timestamp()) + VERIFY_TTL,
    )
    return ports.mail_tokens.make(token)
