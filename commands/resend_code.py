"""The code of a sign-in is sent once more: the same one, for what is left of its ten minutes, with the tries that are left."""

from msgspec import Struct, structs

from commands.factor_policy_head import POLICY_READ
from commands.ports import Letter, Ports
from commands.send_code import CodeSent, send_code
from commands.sign_in_challenge import ChallengeText, Factor, challenge_reads, factors_to_show, may_be_mailed, open_challenge, require_open
from commands.transact import read_states
from domain import factors
from domain.errors import InvalidFactor
from domain.factor_guard import MAILED_CODE_LIFE


class ResendCode(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    challenge: ChallengeText

    def __repr__(self) -> str:
        return "ResendCode(...)"


async def resend_code(command: ResendCode, ports: Ports) -> CodeSent:
    """Raises InvalidChallenge, InvalidFactor where no code can be mailed for it, MailLimited."""
    challenge = open_challenge(command.challenge, ports)
    tx = await read_states(ports, [*challenge_reads(challenge), POLICY_READ])
    account = require_open(tx, challenge, life=MAILED_CODE_LIFE)
    enrolled = tx.state(factors.decider, factors.stream(challenge.user_id))
    wanted = tx.state(*POLICY_READ).asks(account.roles, challenge.audience)
    mail = may_be_mailed(account, enrolled, challenge.signals, ports)
    if Factor.EMAIL not in factors_to_show(enrolled, challenge.methods, wanted, mail=mail):
        raise InvalidFactor
    asker = challenge.device_id if challenge.known_device else None
    sent = await send_code(Letter.SIGN_IN_CODE, challenge.session_id, account, ports, asker=asker)
    left = MAILED_CODE_LIFE - int((tx.at - challenge.at).total_seconds())
    return structs.replace(sent, expires_in=left)
