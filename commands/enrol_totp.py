"""Codes by time: a seed is shown, and counts once a code of it came back."""

from msgspec import Struct

from commands.context import Context
from commands.enrolling import Enroller, oneself
from commands.ports import Ports
from commands.read_profile import open_profile
from commands.recovery_codes import FreshCodes, fresh_codes, record_first_codes
from commands.show_factor import CodeText, open_seed, plain
from commands.transact import Done, Transaction, read_states, transact
from domain import factors, totp, user
from domain.errors import InvalidFactor
from domain.event import SealClass
from domain.ids import FactorId


class ConfirmTotp(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    code: CodeText

    def __repr__(self) -> str:
        return "ConfirmTotp(...)"


class OfferedTotp(Struct, frozen=True, kw_only=True):
    """Shown once. `uri` is what a QR code holds, `secret` what people type who cannot scan one."""

    secret: str
    uri: str

    def __repr__(self) -> str:
        return "OfferedTotp(...)"


class Enrolled(Struct, frozen=True, kw_only=True):
    """A factor that counts from now on, and recovery codes where there were none. These are shown once."""

    factor_id: FactorId
    recovery_codes: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Enrolled(factor_id={self.factor_id})"


async def offer_totp(ctx: Context, ports: Ports) -> Done[OfferedTotp]:
    """Raises ReauthenticationRequired."""
    return await offer_totp_to(oneself(ctx), ctx, ports)


async def offer_totp_to(who: Enroller, ctx: Context, ports: Ports) -> Done[OfferedTotp]:
    account = who.require(await read_states(ports, who.reads))
    seed, factor_id = ports.random.bytes(totp.SEED_BYTES), FactorId(ports.random.uuid7())
    texts = await open_profile(account, ports)
    sealed = await ports.vault.seal(
        subject=user.stream(who.user_id), seal_class=SealClass.CREDENTIAL, stream=who.stream, fields={"seed": seed.hex()}, fresh=True
    )

    def decide(tx: Transaction) -> OfferedTotp:
        who.require(tx)
        offered = factors.offer_totp(who.state(tx), user_id=who.user_id, factor_id=factor_id, seed=sealed["seed"], at=tx.at)
        tx.record(factors.decider, who.stream, offered)
        address = totp.uri(seed, account=texts.email or str(who.user_id), service=ports.policy.service_name)
        return OfferedTotp(secret=totp.base32(seed), uri=address)

    return await transact(ports, ctx, who.reads, decide)


async def confirm_totp(command: ConfirmTotp, ctx: Context, ports: Ports) -> Done[Enrolled]:
    """Raises InvalidFactor, ReauthenticationRequired. A wrong code costs nothing: who asks was shown the seed."""
    who = oneself(ctx)
    tx = await read_states(ports, who.reads)
    who.require(tx)
    confirm = await confirmation(command.code, who, tx, ports)
    return await transact(ports, ctx, who.reads, lambda tx: confirm.decide(tx, who))


class Confirmation(Struct, frozen=True, kw_only=True):
    """A right code of the seed on offer, looked at before anything is decided: a decision is pure."""

    factor_id: FactorId
    step: int
    codes: FreshCodes

    def decide(self, tx: Transaction, who: Enroller) -> Enrolled:
        """Raises InvalidFactor where another seed was shown meanwhile."""
        who.require(tx)
        confirmed = factors.confirm_totp(who.state(tx), user_id=who.user_id, factor_id=self.factor_id, step=self.step, at=tx.at)
        tx.record(factors.decider, who.stream, confirmed)
        return Enrolled(factor_id=self.factor_id, recovery_codes=record_first_codes(tx, who, self.codes))


async def confirmation(code: str, who: Enroller, tx: Transaction, ports: Ports) -> Confirmation:
    """Raises InvalidFactor."""
    offer = who.state(tx).offer
    seed = None if offer is None else await open_seed(offer.seed, who.user_id, ports)
    step = None if seed is None else totp.matching_step(seed, plain(code), at=tx.at)
    if offer is None or step is None:
        raise InvalidFactor
    return Confirmation(factor_id=offer.factor_id, step=step, codes=await fresh_codes(who.user_id, ports))
