"""A passkey is looked at: which of its owner's it is, and whether the signature is theirs, fresh and not a copy's."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest

from msgspec import Struct

from commands.context import Context
from commands.ports import Assertion, Ports
from commands.show_factor import Shower, Shown
from commands.transact import Transaction, transact
from domain import factors
from domain.errors import InvalidFactor
from domain.event import Erased
from domain.factor_events import FactorEvent, PasskeyRegressed
from domain.factor_state import Factors, Passkey
from domain.ids import FactorId, UserId
from domain.session_events import AuthMethod


class Credential(Struct, frozen=True, kw_only=True):
    """What is kept of a passkey, opened. In base64url."""

    credential_id: str
    public_key: str

    def __repr__(self) -> str:
        return "Credential(...)"

    @property
    def text(self) -> str:
        return f"{self.credential_id} {self.public_key}"


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature, and the sealed challenge it is for."""

    assertion: Assertion
    token: str
    asked_at: datetime
    """When the challenge was given."""


async def show_passkey(signed: Signed, who: Shower, ctx: Context, ports: Ports) -> Shown:
    """Raises InvalidFactor. Wrong ones are not counted: there is nothing to guess."""
    assertion = signed.assertion
    user_id, enrolled = who.user_id, who.factors
    for passkey in enrolled.passkeys:
        credential = await open_credential(passkey, user_id, ports)
        if credential is not None and compare_digest(credential.credential_id, assertion.id):
            break
    else:
        raise InvalidFactor
    sign_count = await ports.passkeys.sign_count(assertion, token=signed.token, public_key=credential.public_key)
    if sign_count is None:
        raise InvalidFactor
    use = _using(user_id, passkey.factor_id, sign_count, signed.asked_at)
    if _is_regression(use(enrolled, signed.asked_at)):
        await _remember_regression(user_id, use, ctx, ports)
        raise InvalidFactor
    return Shown((AuthMethod.PASSKEY, AuthMethod.USER_VERIFIED), _refusing_copies(use))


async def open_credential(passkey: Passkey, user_id: UserId, ports: Ports) -> Credential | None:
    text = await ports.vault.open(passkey.credential, stream=factors.stream(user_id), field="credential")
    if isinstance(text, Erased):
        return None
    credential_id, public_key = text.split()
    return Credential(credential_id=credential_id, public_key=public_key)


Use = Callable[[Factors, datetime], Sequence[FactorEvent]]


def _using(user_id: UserId, factor_id: FactorId, sign_count: int, asked_at: datetime) -> Use:
    def use(now: Factors, at: datetime) -> Sequence[FactorEvent]:
        return factors.use_passkey(now, user_id=user_id, factor_id=factor_id, sign_count=sign_count, asked_at=asked_at, at=at)

    return use


def _refusing_copies(use: Use) -> Use:
    """What turned out a copy's only since it was looked at begins nothing either."""

    def checked(now: Factors, at: datetime) -> Sequence[FactorEvent]:
        events = use(now, at)
        if _is_regression(events):
            raise InvalidFactor
        return events

    return checked


def _is_regression(events: Sequence[FactorEvent]) -> bool:
    return any(isinstance(event, PasskeyRegressed) for event in events)


async def _remember_regression(user_id: UserId, use: Use, ctx: Context, ports: Ports) -> None:
    stream = factors.stream(user_id)

    def decide(tx: Transaction) -> None:
        events = use(tx.state(factors.decider, stream), tx.at)
        tx.record(factors.decider, stream, events if _is_regression(events) else ())

    await transact(ports, ctx, [(factors.decider, stream)], decide)
