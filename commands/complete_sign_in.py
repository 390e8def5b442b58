"""The second step of a sign-in: a factor for the challenge that the password got."""

from contextlib import suppress

from msgspec import Struct

from commands.context import Context
from commands.ports import Ports, SignInChallenge
from commands.show_factor import CodeText, Shower, Shown, show_code
from commands.sign_in_challenge import ChallengeText, Factor, challenge_reads, open_challenge, require_open
from commands.start_session import Alongside, Entry, start_session
from commands.token_answer import SignedIn
from commands.transact import Transaction, read_states
from domain import factors
from domain.errors import StoreUnavailable
from domain.factors import Factors
from domain.session_events import AuthMethod
from domain.user import Account


class CompleteSignIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    challenge: ChallengeText
    factor: Factor
    code: CodeText

    def __repr__(self) -> str:
        return f"CompleteSignIn(factor={self.factor})"


async def complete_sign_in(command: CompleteSignIn, ctx: Context, ports: Ports) -> SignedIn:
    """Begin the session that the challenge is for. Raises InvalidChallenge, InvalidFactor, FactorPaused, FactorBlocked."""
    challenge = open_challenge(command.challenge, ports)
    tx = await read_states(ports, challenge_reads(challenge))
    account = require_open(tx, challenge)
    who = shower(challenge, tx.state(factors.decider, factors.stream(challenge.user_id)), ports)
    shown = await show_code(command.factor, command.code, who, ctx, ports, at=tx.at)
    signed_in = await begin(challenge, account, shown, ctx, ports)
    with suppress(StoreUnavailable):  # the session is there, and its tokens must reach their owner; a count too high is the safe side
        await ports.guard.forgive(who.counter, device_mac=None if AuthMethod.RECOVERY in shown.methods else who.device)
        await ports.guard.forgive(ports.macs.login_name(f"account:{account.user_id}"), device_mac=who.device)
    return signed_in


def shower(challenge: SignInChallenge, enrolled: Factors, ports: Ports) -> Shower:
    """One counter for an account, whichever challenge a code is for."""
    device = ports.macs.device(challenge.device_id) if challenge.known_device else None
    return Shower(challenge.user_id, enrolled, ports.macs.login_name(f"factor:{challenge.user_id}"), device)


async def begin(challenge: SignInChallenge, account: Account, shown: Shown, ctx: Context, ports: Ports) -> SignedIn:
    """Use the factor up and begin the session, in one append."""

    def decide(tx: Transaction) -> None:
        require_open(tx, challenge)
        shown.record(tx, challenge.user_id)

    entry = Entry(
        account=account,
        session_id=challenge.session_id,
        audience=challenge.audience,
        device_id=challenge.device_id,
        device_name=challenge.device_name,
        methods=(*challenge.methods, *shown.methods),
    )
    reads = [(factors.decider, factors.stream(challenge.user_id))]
    return await start_session(entry, ctx, ports, alongside=Alongside(reads, decide))
