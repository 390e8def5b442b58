"""The second step of a sign-in: a factor for the challenge that the password got."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from msgspec import Struct

from commands.context import Context
from commands.known_networks import network_mac
from commands.ports import Assertion, Ports, SignInChallenge
from commands.show_factor import CodeText, Shower, Shown, show_code
from commands.show_passkey import Signed, show_passkey
from commands.sign_in_challenge import ChallengeText, Factor, challenge_reads, open_challenge, require_open
from commands.sign_in_signals import origin_of
from commands.start_session import Alongside, Entry, start_session
from commands.token_answer import SignedIn
from commands.transact import Transaction, read_states
from domain import factors
from domain.account import Account
from domain.errors import ProofIncomplete, StoreUnavailable
from domain.factors import Factors
from domain.session_events import AuthMethod


class CompleteSignIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """With a `code`, or for a passkey with an `assertion`."""

    challenge: ChallengeText
    factor: Factor
    code: CodeText | None = None
    assertion: Assertion | None = None

    def __repr__(self) -> str:
        return f"CompleteSignIn(factor={self.factor})"


async def complete_sign_in(command: CompleteSignIn, ctx: Context, ports: Ports) -> SignedIn:
    """Begin the session that the challenge is for. Raises InvalidChallenge, InvalidFactor, FactorPaused, FactorBlocked."""
    challenge = open_challenge(command.challenge, ports)
    tx = await read_states(ports, challenge_reads(challenge))
    account = require_open(tx, challenge)
    who = shower(challenge, tx.state(factors.decider, factors.stream(challenge.user_id)), ports)
    shown = await _show(command, challenge, who, ctx, ports, at=tx.at)
    signed_in = await begin(challenge, account, shown, ctx, ports)
    with suppress(StoreUnavailable):  # the session is there, and its tokens must reach their owner; a count too high is the safe side
        await ports.guard.forgive(who.counter, device_mac=None if AuthMethod.RECOVERY in shown.methods else who.device)
        name_mac = ports.macs.login_name(f"account:{account.user_id}")
        facts, network = origin_of(name_mac, ctx, ports).facts, network_mac(account, ctx, ports)
        await ports.guard.forgive(name_mac, device_mac=who.device, network_mac=network, facts=facts)
    return signed_in


async def _show(command: CompleteSignIn, challenge: SignInChallenge, who: Shower, ctx: Context, ports: Ports, *, at: datetime) -> Shown:
    match command.factor, command.code, command.assertion:
        case Factor.PASSKEY, None, Assertion() as assertion:
            return await show_passkey(Signed(assertion, command.challenge, challenge.at), who, ctx, ports)
        case (Factor.TOTP | Factor.RECOVERY_CODE) as factor, str(code), None:
            return await show_code(factor, code, who, ctx, ports, at=at)
        case _:
            raise ProofIncomplete


def shower(challenge: SignInChallenge, enrolled: Factors, ports: Ports) -> Shower:
    """One counter for an account, whichever challenge a code is for."""
    device = ports.macs.device(challenge.device_id) if challenge.known_device else None
    return Shower(challenge.user_id, enrolled, ports.macs.login_name(f"factor:{challenge.user_id}"), device)


async def begin(challenge: SignInChallenge, account: Account, shown: Shown, ctx: Context, ports: Ports) -> SignedIn:
    """Use the factor up and begin the session, in one append."""

    def require(tx: Transaction) -> None:
        require_open(tx, challenge)

    entry = Entry(
        account=account,
        session_id=challenge.session_id,
        audience=challenge.audience,
        device_id=challenge.device_id,
        device_name=challenge.device_name,
        methods=(*challenge.methods, *shown.methods),
        signals=challenge.signals,
    )
    return await begin_with(entry, shown, require, ctx, ports)


async def begin_with(entry: Entry, shown: Shown, require: Callable[[Transaction], object], ctx: Context, ports: Ports) -> SignedIn:
    def decide(tx: Transaction) -> None:
        require(tx)
        shown.record(tx, entry.account.user_id)

    reads = [(factors.decider, factors.stream(entry.account.user_id))]
    return await start_session(entry, ctx, ports, alongside=Alongside(reads, decide))
