"""Prove who is there, again, on the same session. Only the token this returns carries the fresh time (threats.md 5)."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct

from commands.context import Context, Principal
from commands.factor_policy_head import POLICY_READ, shows_enough
from commands.mailed_codes import code_counter, opened_code, require_strongest
from commands.ports import Assertion, CodePurpose, PasskeyProof, Ports
from commands.prove_password import prove_password
from commands.register_user import PasswordText
from commands.revoke_session import required
from commands.show_factor import CodeText, Shower, Shown, show_code
from commands.show_mailed_code import show_mailed_code
from commands.show_passkey import Signed, show_passkey
from commands.sign_in_challenge import ChallengeText, Factor, require_young
from commands.sign_in_with_passkey import PasskeyAsked
from commands.standing import require_standing, standing_reads
from commands.token_answer import access_token_for
from commands.transact import Done, Transaction, read_states, transact
from domain import factors, session
from domain.account import Account
from domain.errors import InvalidChallenge, InvalidCredentials, ProofIncomplete
from domain.session_events import AuthMethod
from domain.session_state import Live


class ProvingFactor(StrEnum):
    """What proves who is there. Recovery codes do not (threats.md 5)."""

    TOTP = "totp"
    PASSKEY = "passkey"
    EMAIL = "email"
    """Only where nothing stronger is enrolled, and beside the password: whoever reads the mailbox is not yet the person."""


class Reauthenticate(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A password, a factor, or both: the token says what was shown, and counts two only when two were shown now.

    A passkey needs a `challenge` of `auth/reauthenticate/challenge`, a mailed code one of `auth/reauthenticate/code` and the password.
    """

    password: PasswordText | None = None
    factor: ProvingFactor | None = None
    code: CodeText | None = None
    challenge: ChallengeText | None = None
    assertion: Assertion | None = None

    def __repr__(self) -> str:
        return f"Reauthenticate(factor={self.factor})"


class Reauthenticated(Struct, frozen=True, kw_only=True):
    access_token: str
    expires_in: int

    def __repr__(self) -> str:
        return "Reauthenticated(...)"


class _Proved(NamedTuple):
    live: Live
    account: Account
    enough: bool
    """For what is demanded of them now."""


async def ask_for_proof(ctx: Context, ports: Ports) -> PasskeyAsked:
    """Give a challenge that a passkey signs to prove who is there in this session. Nothing is stored."""
    principal = required(ctx)
    at = (await read_states(ports, standing_reads(principal))).at
    token = ports.challenges.seal(PasskeyProof(session_id=principal.session_id, at=at))
    return PasskeyAsked(challenge=token, options=ports.passkeys.request_options(token))


async def reauthenticate(command: Reauthenticate, ctx: Context, ports: Ports) -> Done[Reauthenticated]:
    """Raises ProofIncomplete, InvalidCredentials, InvalidFactor, InvalidChallenge, FactorPaused, FactorBlocked, SessionEnded,
    Overloaded.
    """
    principal = required(ctx)
    if command.password is None and command.factor is None:
        raise ProofIncomplete
    account = None if command.password is None else await prove_password(command.password, principal, ctx, ports)
    shown = None if command.factor is None else await _show(command.factor, command, principal, ctx, ports)
    methods = (*(() if account is None else (AuthMethod.PASSWORD,)), *(() if shown is None else shown.methods))
    stream = session.stream(principal.session_id)

    def decide(tx: Transaction) -> _Proved:
        live, now = require_standing(tx, principal)
        if account is not None and now.password_version != account.password_version:
            raise InvalidCredentials
        if shown is not None:
            shown.record(tx, principal.user_id)
        events = session.reauthenticate(live, methods=methods, at=tx.at)
        proved = session.live(tx.record(session.decider, stream, events))
        return _Proved(proved, now, shows_enough(proved, now, principal.audience, tx))

    reads = standing_reads(principal)
    if shown is not None:
        reads.append((factors.decider, factors.stream(principal.user_id)))
    done = await transact(ports, ctx, reads, decide, glance=[POLICY_READ])
    return await _answered(done, principal, methods, ports)


async def _answered(done: Done[_Proved], principal: Principal, methods: Sequence[AuthMethod], ports: Ports) -> Done[Reauthenticated]:
    """Where more is demanded than was shown, the token ends with the one at hand: that is time to enrol it, and no way to go on."""
    token, expires_in = await access_token_for(
        done.result.live,
        done.result.account,
        ports,
        version=done.versions.get(session.stream(principal.session_id), 0),
        audience=principal.audience,
        auth_time=done.at,
        at=done.at,
        methods=methods,
        not_after=None if done.result.enough else principal.expires_at,
    )
    answer = Reauthenticated(access_token=token, expires_in=expires_in)
    return Done(result=answer, versions=done.versions, at=done.at, appended=done.appended)


async def _show(factor: ProvingFactor, command: Reauthenticate, principal: Principal, ctx: Context, ports: Ports) -> Shown:
    of_factors = factors.stream(principal.user_id)
    tx = await read_states(ports, [(factors.decider, of_factors)])
    counter = code_counter(principal.user_id, ports)
    who = Shower(principal.user_id, tx.state(factors.decider, of_factors), counter, ports.macs.device(principal.session_id))
    match factor, command.code, command.assertion, command.challenge:
        case ProvingFactor.TOTP, str(code), None, None:
            return await _uncounted(await show_code(Factor.TOTP, code, who, ctx, ports, at=tx.at), counter, ports)
        case ProvingFactor.EMAIL, str(code), None, str(token) if command.password is not None:
            require_strongest(who.factors)
            asked = opened_code(token, CodePurpose.PROVE, principal, tx, ports)
            return await _uncounted(await show_mailed_code(code, asked.code_id, who, ctx, ports), counter, ports)
        case ProvingFactor.PASSKEY, None, Assertion() as assertion, str(token):
            return await show_passkey(Signed(assertion, token, _asked_at(token, principal, tx, ports)), who, ctx, ports)
        case _:
            raise ProofIncomplete


async def _uncounted(shown: Shown, counter: bytes, ports: Ports) -> Shown:
    """A right code is no failure, and makes up for none: only a sign-in does (threats.md 3)."""
    if shown.counted is not None:
        await ports.guard.take_back(counter, reading=shown.counted)
    return shown


def _asked_at(token: str, principal: Principal, tx: Transaction, ports: Ports) -> datetime:
    challenge = ports.challenges.open(token)
    if not isinstance(challenge, PasskeyProof) or challenge.session_id != principal.session_id:
        raise InvalidChallenge
    require_young(challenge.at, tx)
    return challenge.at
