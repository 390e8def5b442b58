"""Recovery codes: made for the owner, shown once, kept as keyed MACs."""

from msgspec import Struct

from commands.context import Context
from commands.enrolling import Enroller, oneself
from commands.ports import Ports
from commands.transact import Done, Transaction, read_states, transact
from domain import factors, user
from domain.errors import FactorNotEnrolled
from domain.event import SealClass, Sealed
from domain.ids import UserId
from domain.recovery_code import BYTES, HOW_MANY, normalise, written


class FreshCodes(Struct, frozen=True, kw_only=True):
    """Codes in clear, and what is kept of them."""

    codes: tuple[str, ...]
    verifiers: Sealed

    def __repr__(self) -> str:
        return "FreshCodes(...)"


async def make_recovery_codes(ctx: Context, ports: Ports) -> Done[tuple[str, ...]]:
    """Make ten; those from before are worth nothing. Raises FactorNotEnrolled, ReauthenticationRequired."""
    who = oneself(ctx)
    tx = await read_states(ports, who.reads)
    who.require(tx)
    if not who.state(tx).enrolled:
        raise FactorNotEnrolled
    fresh = await fresh_codes(who.user_id, ports)

    def decide(tx: Transaction) -> tuple[str, ...]:
        who.require(tx)
        record_codes(tx, who, fresh)
        return fresh.codes

    return await transact(ports, ctx, who.reads, decide)


async def fresh_codes(user_id: UserId, ports: Ports) -> FreshCodes:
    codes = tuple(written(ports.random.bytes(BYTES)) for _ in range(HOW_MANY))
    kept = " ".join(ports.recovery.verifier(user_id, normalise(code)).hex() for code in codes)
    return FreshCodes(codes=codes, verifiers=await _sealed(kept, user_id, ports))


async def no_codes(user_id: UserId, ports: Ports) -> Sealed:
    """Give what takes the place of codes that are to be worth nothing."""
    return await _sealed("", user_id, ports)


async def _sealed(kept: str, user_id: UserId, ports: Ports) -> Sealed:
    sealed = await ports.vault.seal(
        subject=user.stream(user_id),
        seal_class=SealClass.CREDENTIAL,
        stream=factors.stream(user_id),
        fields={"verifiers": kept},
        fresh=True,
    )
    return sealed["verifiers"]


def record_codes(tx: Transaction, who: Enroller, fresh: FreshCodes) -> None:
    made = factors.make_recovery_codes(who.state(tx), user_id=who.user_id, verifiers=fresh.verifiers, count=len(fresh.codes), at=tx.at)
    tx.record(factors.decider, who.stream, made)


def record_first_codes(tx: Transaction, who: Enroller, fresh: FreshCodes) -> tuple[str, ...]:
    """With a first factor come the codes for the day it is lost; who has codes keeps those."""
    if who.state(tx).recovery is not None:
        return ()
    record_codes(tx, who, fresh)
    return fresh.codes
