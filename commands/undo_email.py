"""Whoever reads the earlier address takes a change of address back, and the account with it (threats.md 3)."""

from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from commands.choose_password import destroy_left
from commands.context import Context
from commands.held_names import HeldName, give_up, held_name, name_reads
from commands.keys_of_owner import OwnersKeys, with_keys_of
from commands.mailed_link import Link, LiveLink, MailTokenText, Shows, live_link, show_with_link
from commands.new_password import lift_locks, remembered, remove_factors_since, sealed_choice
from commands.ports import Assertion, MailToken, MailTokenKind, Ports
from commands.recovery_codes import no_codes
from commands.register_user import PasswordText
from commands.show_factor import CodeText, Shown
from commands.sign_in_challenge import ChallengeText, Factor
from commands.transact import Read, Transaction, read_states, transact
from domain import address_change, codec, earlier_factors, erasure, factors, user
from domain.account import Account, EarlierEmail
from domain.api_key import KeyRevocation
from domain.claim import ClaimKind
from domain.errors import MailTokenInvalid
from domain.event import Sealed
from domain.factor_state import Factors
from domain.ids import ClaimId, UserId


class CheckUndo(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    token: MailTokenText

    def __repr__(self) -> str:
        return "CheckUndo(...)"


class UndoEmail(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a second factor was enrolled before the change, `factor` and `code` of it are needed, or for a passkey `challenge` and
    `assertion`: also where it was replaced or taken away since."""

    token: MailTokenText
    new_password: PasswordText
    factor: Factor = Factor.TOTP
    code: CodeText | None = None
    challenge: ChallengeText | None = None
    assertion: Assertion | None = None

    def __repr__(self) -> str:
        return "UndoEmail(...)"


class _Found(Struct, frozen=True, kw_only=True):
    account: Account
    earlier: EarlierEmail
    link: Link
    """With the factors from before the change, which nothing adds to: those that came since may be of whoever made it."""


async def check_undo(command: CheckUndo, ports: Ports) -> LiveLink:
    """Look at a token without using it. Raises MailTokenInvalid."""
    found = await _undoable(command.token, ports)
    required = found.link.enrolled.enrolled
    return live_link(found.link, expires_at=found.earlier.undo_until, factor_required=required, ports=ports)


async def undo_email(command: UndoEmail, ctx: Context, ports: Ports) -> None:
    """Restore the address with a new password. All sessions and API keys end, factors and recovery codes that came since go,
    and so does an erasure that was asked for since.

    Raises MailTokenInvalid, PasswordUnacceptable, SecondFactorRequired, Overloaded, and InvalidFactor, InvalidChallenge,
    ProofIncomplete, FactorPaused, FactorBlocked.
    """
    found = await _undoable(command.token, ports)
    shows = Shows(command.factor, command.code, command.challenge, command.assertion)
    shown = await show_with_link(shows, found.link, ctx, ports) if found.link.enrolled.enrolled else None
    account, user_id = found.account, found.account.user_id
    sealed = await sealed_choice(command.new_password, account, ctx, ports)
    codes = await no_codes(user_id, ports)
    gone = await held_name(ClaimKind.EMAIL, account.email, account.email_claim, user_id, ports)
    of_user = user.stream(user_id)

    def decide(tx: Transaction, keys: OwnersKeys) -> None:
        now, earlier = _same(tx, found)
        if shown is not None:
            _use_up(tx, shown, found.link)
        _take_back_factors(tx, user_id, earlier.changed_at, codes)
        _take_back_erasure(tx, user_id, earlier.changed_at)
        keys.end(tx, KeyRevocation.PASSWORD_RESET)
        kept = remembered(now, ports)
        back = address_change.undo(tx.state(user.decider, of_user), claim=earlier.claim, password=sealed, remembered=kept, at=tx.at)
        tx.record(user.decider, of_user, back)
        give_up(tx, gone)

    async def undo(keys: OwnersKeys) -> None:
        await transact(ports, ctx, [*_reads(user_id, gone), *keys.reads], lambda tx: decide(tx, keys))

    await with_keys_of(user_id, ports, undo)
    await destroy_left(of_user, ports)
    await lift_locks(user_id, ports)


def undo_token(account: Account, earlier: EarlierEmail, ports: Ports) -> str:
    expires_at = int(earlier.undo_until.timestamp())
    return ports.mail_tokens.make(MailToken(kind=MailTokenKind.UNDO, subject=account.user_id, about=earlier.claim, expires_at=expires_at))


async def _undoable(text: str, ports: Ports) -> _Found:
    token = ports.mail_tokens.read(text)
    if token is None or token.kind is not MailTokenKind.UNDO:
        raise MailTokenInvalid
    user_id = UserId(token.subject)
    of_user: Read = (user.decider, user.stream(user_id))
    tx = await read_states(ports, [of_user])
    account, earlier = address_change.require_undoable(tx.state(*of_user), claim=ClaimId(token.about), at=tx.at)
    stored = await ports.store.read_stream(factors.stream(user_id))
    events = [codec.decode_event(event.type, event.payload) for event in stored]
    then = earlier_factors.held_at(events, earlier.changed_at)  # type: ignore[arg-type]  # the stream's own
    return _Found(account=account, earlier=earlier, link=Link(user_id, earlier.claim, _to_show(then), tx))


def _to_show(then: Factors) -> Factors:
    """Mailed codes are never shown: where a mail is the first proof another is no second, and by now they go to the other address. Where
    they are all there was, a recovery code of then is asked for, as for a new password: the earlier mailbox alone opens nothing."""
    recoverable = then.recovery is not None and then.recovery.remaining > 0
    return then if recoverable else replace(then, mailed=None)


def _use_up(tx: Transaction, shown: Shown, link: Link) -> None:
    """Raises InvalidFactor for what counted already. What was taken away since is used up by the undoing, which happens once."""
    stream = factors.stream(link.user_id)
    now = tx.state(factors.decider, stream)
    used = shown.use(earlier_factors.kept_up(link.enrolled, now), tx.at)
    tx.record(factors.decider, stream, earlier_factors.of_what_is_left(used, now, link.enrolled))


def _same(tx: Transaction, found: _Found) -> tuple[Account, EarlierEmail]:
    """Raises MailTokenInvalid where the address is another by now than the one that is to be given up."""
    account, earlier = address_change.require_undoable(
        tx.state(user.decider, user.stream(found.account.user_id)), claim=found.earlier.claim, at=tx.at
    )
    if account.email_claim != found.account.email_claim:
        raise MailTokenInvalid
    return account, earlier


def _take_back_factors(tx: Transaction, user_id: UserId, since: datetime, codes: Sealed) -> None:
    remove_factors_since(tx, user_id, since)
    stream = factors.stream(user_id)
    left = tx.state(factors.decider, stream)
    if left.recovery is not None and left.recovery.made_at >= since:
        tx.record(factors.decider, stream, factors.make_recovery_codes(left, user_id=user_id, verifiers=codes, count=0, at=tx.at))


def _take_back_erasure(tx: Transaction, user_id: UserId, since: datetime) -> None:
    """What was asked for since then is told to the other address: its owner would never hear of it."""
    of_erasure: Read = (erasure.decider, erasure.stream(user_id))
    state = tx.state(*of_erasure)
    if erasure.is_own(state) and state.asked_at >= since:
        tx.record(*of_erasure, erasure.withdraw(state, user_id=user_id, at=tx.at))


def _reads(user_id: UserId, gone: HeldName) -> list[Read]:
    of_account: list[Read] = [
        (user.decider, user.stream(user_id)),
        (factors.decider, factors.stream(user_id)),
        (erasure.decider, erasure.stream(user_id)),
    ]
    return [*of_account, *name_reads([gone])]
