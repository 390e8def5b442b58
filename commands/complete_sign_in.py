"""The second step of a sign-in: a factor for the challenge that the password got."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from msgspec import Struct, structs

from commands.context import Context
from commands.factor_policy_head import POLICY_READ
from commands.known_networks import network_mac
from commands.ports import Assertion, Ports, SignInChallenge
from commands.show_factor import CodeText, Shower, Shown, show_code
from commands.show_mailed_code import show_mailed_code
from commands.show_passkey import Signed, show_passkey
from commands.sign_in_challenge import (
    LIFE,
    ChallengeText,
    EnrolmentRequired,
    Factor,
    FactorRequired,
    ask_for_more,
    challenge_reads,
    factors_to_show,
    may_be_mailed,
    open_challenge,
    require_open,
)
from commands.sign_in_signals import origin_of
from commands.start_session import Entry, start_session
from commands.token_answer import SignedIn
from commands.transact import Transaction, read_states, transact
from domain import factors
from domain.account import Account
from domain.errors import InvalidFactor, ProofIncomplete, StoreUnavailable
from domain.factor_guard import MAILED_CODE_LIFE
from domain.factor_policy import Requirement, meets
from domain.factor_state import Factors
from domain.session_events import AuthMethod


class CompleteSignIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """With a `code`, or for a passkey with an `assertion`."""

    challenge: ChallengeText
    factor: Factor
    code: CodeText | None = None
    assertion: Assertion | None = None

    def __repr__(self) -> str:
        return f"CompleteSignIn(factor={self.factor})"


async def complete_sign_in(command: CompleteSignIn, ctx: Context, ports: Ports) -> SignedIn | FactorRequired | EnrolmentRequired:
    """Begin the session that the challenge is for, or say what has to be enrolled before.

    Raises InvalidChallenge, InvalidFactor (for one that was not asked for, too), FactorPaused, FactorBlocked.
    """
    challenge = open_challenge(command.challenge, ports)
    tx = await read_states(ports, [*challenge_reads(challenge), POLICY_READ])
    life = _life(command.factor)
    account = require_open(tx, challenge, life=life)
    who = shower(challenge, tx.state(factors.decider, factors.stream(challenge.user_id)), ports)
    wanted = tx.state(*POLICY_READ).asks(account.roles, challenge.audience)
    mail = may_be_mailed(account, who.factors, challenge.signals, ports)
    if command.factor not in factors_to_show(who.factors, challenge.methods, wanted, mail=mail):
        raise InvalidFactor
    shown = await _show(command, challenge, who, ctx, ports, at=tx.at)
    methods = (*challenge.methods, *shown.methods)
    if not meets(wanted, methods):
        return await _use_up(structs.replace(challenge, methods=methods, at=tx.at), shown, wanted, ctx, ports)
    signed_in = await begin_with(entry_of(challenge, account, methods), shown, _open(challenge, life), ctx, ports)
    await forgive(challenge, account, ctx, ports, device_codes=AuthMethod.RECOVERY not in shown.methods)
    return signed_in


async def forgive(challenge: SignInChallenge, account: Account, ctx: Context, ports: Ports, *, device_codes: bool = True) -> None:
    """Count wrong passwords and codes anew, and know where the sign-in came from.

    It has begun a session whose tokens must reach their owner: where this fails a count is too high, which is the safe side.
    """
    with suppress(StoreUnavailable):
        who = shower(challenge, Factors(), ports)
        await ports.guard.forgive(who.counter, device_mac=who.device if device_codes else None)
        name_mac = ports.macs.login_name(f"account:{account.user_id}")
        facts, network = origin_of(name_mac, ctx, ports).facts, network_mac(account, ctx, ports)
        await ports.guard.forgive(name_mac, device_mac=who.device, network_mac=network, facts=facts)


async def _use_up(
    challenge: SignInChallenge, shown: Shown, wanted: Requirement, ctx: Context, ports: Ports
) -> FactorRequired | EnrolmentRequired:
    """Let what was shown count, though it is less than is asked for: who showed it may enrol what is enough."""

    def decide(tx: Transaction) -> tuple[Account, Factors]:
        account = require_open(tx, challenge)
        shown.record(tx, challenge.user_id)
        return account, tx.state(factors.decider, factors.stream(challenge.user_id))

    account, enrolled = (await transact(ports, ctx, challenge_reads(challenge), decide)).result
    return await ask_for_more(challenge, account, enrolled, wanted, ports)


def _life(factor: Factor) -> int:
    """Mail takes its time."""
    return MAILED_CODE_LIFE if factor is Factor.EMAIL else LIFE


async def _show(command: CompleteSignIn, challenge: SignInChallenge, who: Shower, ctx: Context, ports: Ports, *, at: datetime) -> Shown:
    match command.factor, command.code, command.assertion:
        case Factor.PASSKEY, None, Assertion() as assertion:
            return await show_passkey(Signed(assertion, command.challenge, challenge.at), who, ctx, ports)
        case Factor.EMAIL, str(code), None:
            return await show_mailed_code(code, challenge.session_id, who, ctx, ports)
        case (Factor.TOTP | Factor.RECOVERY_CODE) as factor, str(code), None:
            return await show_code(factor, code, who, ctx, ports, at=at)
        case _:
            raise ProofIncomplete


def shower(challenge: SignInChallenge, enrolled: Factors, ports: Ports) -> Shower:
    """One counter for an account, whichever challenge a code is for."""
    device = ports.macs.device(challenge.device_id) if challenge.known_device else None
    return Shower(challenge.user_id, enrolled, ports.macs.login_name(f"factor:{challenge.user_id}"), device)


def entry_of(challenge: SignInChallenge, account: Account, methods: tuple[AuthMethod, ...]) -> Entry:
    return Entry(
        account=account,
        session_id=challenge.session_id,
        audience=challenge.audience,
        device_id=challenge.device_id,
        device_name=challenge.device_name,
        methods=methods,
        signals=challenge.signals,
    )


def _open(challenge: SignInChallenge, life: int) -> Callable[[Transaction], object]:
    return lambda tx: require_open(tx, challenge, life=life)


async def begin_with(entry: Entry, shown: Shown, require: Callable[[Transaction], object], ctx: Context, ports: Ports) -> SignedIn:
    """Use the factor up and begin the session, in one append."""

    def decide(tx: Transaction) -> None:
        require(tx)
        shown.record(tx, entry.account.user_id)

    return await start_session(entry, ctx, ports, alongside=decide)
