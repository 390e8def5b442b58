"""A link from a mail that gives an account back: whoever has it reads a mailbox, and shows a second factor besides where one is
enrolled."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from commands.context import Context
from commands.ports import Assertion, PasskeyForLink, Ports
from commands.show_factor import Shower, Shown, show_code
from commands.show_passkey import Signed, show_passkey
from commands.sign_in_challenge import Factor, FactorChoice, choices, require_young
from commands.transact import Transaction
from domain.errors import InvalidChallenge, ProofIncomplete, SecondFactorRequired
from domain.factor_state import Factors
from domain.ids import UserId

MailTokenText = Annotated[
    str, Meta(min_length=1, max_length=256, description="The token of a link in a mail: what follows `#token=` in it.")
]


class LiveLink(Struct, frozen=True, kw_only=True):
    """The link still works, until then; and whether one of `factors` has to be shown with it. A passkey signs what `challenge` is for,
    within five minutes."""

    expires_at: datetime
    factor_required: bool
    factors: tuple[FactorChoice, ...] = ()
    challenge: str | None = None

    def __repr__(self) -> str:
        return f"LiveLink(factor_required={self.factor_required})"


@dataclass(frozen=True, slots=True)
class Link:
    """A genuine one: whose account it is about, which asking or address, what they have enrolled that counts, as it was read."""

    user_id: UserId
    about: UUID
    enrolled: Factors
    tx: Transaction


@dataclass(frozen=True, slots=True)
class Shows:
    """What came along with a link."""

    factor: Factor
    code: str | None
    challenge: str | None
    assertion: Assertion | None


def live_link(link: Link, *, expires_at: datetime, factor_required: bool, ports: Ports) -> LiveLink:
    if not factor_required:
        return LiveLink(expires_at=expires_at, factor_required=False)
    challenge = ports.challenges.seal(PasskeyForLink(user_id=link.user_id, about=link.about, at=link.tx.at))
    shows = tuple(choices(link.enrolled, challenge, ports))
    return LiveLink(expires_at=expires_at, factor_required=True, factors=shows, challenge=challenge)


async def show_with_link(shows: Shows, link: Link, ctx: Context, ports: Ports) -> Shown:
    """Raises SecondFactorRequired where nothing was shown, InvalidFactor, InvalidChallenge, ProofIncomplete, FactorPaused,
    FactorBlocked."""
    who = Shower(link.user_id, link.enrolled, ports.macs.login_name(f"factor:{link.user_id}"))
    match shows.code, shows.assertion, shows.challenge:
        case None, None, _:
            raise SecondFactorRequired
        case str(code), None, None:
            shown = await show_code(shows.factor, code, who, ctx, ports, at=link.tx.at)
            if shown.counted is not None:  # it was right, whatever becomes of the password chosen with it
                await ports.guard.take_back(who.counter, reading=shown.counted)
            return shown
        case None, Assertion() as assertion, str(challenge):
            return await show_passkey(Signed(assertion, challenge, _asked_at(challenge, link, ports)), who, ctx, ports)
        case _:
            raise ProofIncomplete


def _asked_at(token: str, link: Link, ports: Ports) -> datetime:
    challenge = ports.challenges.open(token)
    if not isinstance(challenge, PasskeyForLink) or (challenge.user_id, challenge.about) != (link.user_id, link.about):
        raise InvalidChallenge
    require_young(challenge.at, link.tx)
    return challenge.at
