"""The second factors a person has: listed, and taken away by themselves or by an administrator."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from commands.authority import Authority, acting_on
from commands.context import Context
from commands.enrolling import oneself
from commands.ports import Ports
from commands.read_profile import opened
from commands.transact import Done, Transaction, read_states, transact
from domain import factors
from domain.event import Sealed
from domain.factor_events import FactorKind, WhyRemoved
from domain.factor_state import Factors, MailedCodes, Totp
from domain.ids import FactorId, UserId


class FactorView(Struct, frozen=True, kw_only=True):
    """One factor. `regressed_at` is when a copy of a passkey was last noticed."""

    factor_id: FactorId
    kind: FactorKind
    name: str | None
    enrolled_at: datetime
    used_at: datetime
    regressed_at: datetime | None

    def __repr__(self) -> str:
        return f"FactorView(factor_id={self.factor_id}, kind={self.kind})"


class RecoveryView(Struct, frozen=True, kw_only=True):
    remaining: int
    made_at: datetime


class FactorViews(Struct, frozen=True, kw_only=True):
    data: Sequence[FactorView]
    recovery_codes: RecoveryView | None
    blocked: bool
    """Too many wrong codes: only a recovery code or a passkey is accepted."""


async def list_factors(user_id: UserId, ports: Ports) -> FactorViews:
    """Read from the head: never stale."""
    stream = factors.stream(user_id)
    state = (await read_states(ports, [(factors.decider, stream)])).state(factors.decider, stream)
    codes = state.recovery
    recovery = None if codes is None else RecoveryView(remaining=codes.remaining, made_at=codes.made_at)
    data = await asyncio.gather(*(_view(view, name, user_id, ports) for view, name in _views(state)))
    return FactorViews(data=data, recovery_codes=recovery, blocked=state.blocked)


async def remove_factor(factor_id: FactorId, ctx: Context, ports: Ports) -> Done[None]:
    """Raises NoSuchFactor, ReauthenticationRequired. With the last one its recovery codes go, and the password is enough again."""
    who = oneself(ctx)

    def decide(tx: Transaction) -> None:
        who.require(tx)
        gone = factors.remove(who.state(tx), user_id=who.user_id, factor_id=factor_id, why=WhyRemoved.SELF, at=tx.at)
        tx.record(factors.decider, who.stream, gone)

    return await transact(ports, ctx, who.reads, decide)


async def switch_factor_off(user_id: UserId, factor_id: FactorId, ctx: Context, ports: Ports) -> Done[None]:
    """Take a factor of somebody away who cannot show it any more. Raises NoSuchUser, NoSuchFactor, RightsExceeded.

    One's own go with the strongest there is, whichever way one asks: ReauthenticationRequired.
    """
    if ctx.principal is not None and ctx.principal.user_id == user_id:
        return await remove_factor(factor_id, ctx, ports)
    stream = factors.stream(user_id)

    async def act(authority: Authority) -> Done[None]:
        def decide(tx: Transaction) -> None:
            authority.require(tx)
            state = tx.state(factors.decider, stream)
            gone = factors.remove(state, user_id=user_id, factor_id=factor_id, why=WhyRemoved.ADMINISTRATOR, at=tx.at)
            tx.record(factors.decider, stream, gone)

        return await transact(ports, ctx, [*authority.reads, (factors.decider, stream)], decide)

    return await acting_on(user_id, ctx, ports, act)


def _views(state: Factors) -> Iterator[tuple[FactorView, Sealed | None]]:
    for passkey in state.passkeys:
        yield (
            FactorView(
                factor_id=passkey.factor_id,
                kind=FactorKind.PASSKEY,
                name=None,
                enrolled_at=passkey.enrolled_at,
                used_at=passkey.used_at,
                regressed_at=passkey.regressed_at,
            ),
            passkey.name,
        )
    for kind, one in ((FactorKind.TOTP, state.totp), (FactorKind.EMAIL, state.mailed)):
        if one is not None:
            yield _nameless(kind, one), None


def _nameless(kind: FactorKind, one: Totp | MailedCodes) -> FactorView:
    return FactorView(factor_id=one.factor_id, kind=kind, name=None, enrolled_at=one.enrolled_at, used_at=one.used_at, regressed_at=None)


async def _view(view: FactorView, name: Sealed | None, user_id: UserId, ports: Ports) -> FactorView:
    return view if name is None else msgspec.structs.replace(view, name=await opened(name, factors.stream(user_id), "name", ports.vault))
