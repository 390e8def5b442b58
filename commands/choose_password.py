"""A password somebody wants to have from now on: what is refused, whichever way it comes."""

import asyncio
from contextlib import suppress

from commands.context import Context
from commands.ports import Ports
from domain import user
from domain.account import Account
from domain.errors import StoreUnavailable
from domain.event import Erased, SealClass, Sealed
from domain.ids import StreamName
from domain.password import check_choice, check_strength, check_unknown, check_unused_before, context_words


async def check_new_password(password: str, *names: str | None, ctx: Context, ports: Ports) -> None:
    """Raise PasswordUnacceptable for what nobody of these names may have, cheapest reason first; Overloaded."""
    policy = ports.policy
    words = context_words(*names, policy.service_name)
    check_choice(password, min_length=policy.password_min_length, context=words)
    check_unknown(listed=ports.judge.is_listed(password))
    if policy.password_min_score > 0:
        strength = await ports.judge.strength(password, context=words, network=ctx.network)
        check_strength(strength.score, min_score=policy.password_min_score, advice=strength.said)


async def check_unused(password: str, account: Account, ctx: Context, ports: Ports) -> None:
    """Raise PasswordUnacceptable for the present password and those remembered before it; Overloaded.

    Each costs a hash, one after another: an account has one thread of the hashers at a time, however much it remembers.
    """
    stream = user.stream(account.user_id)
    remembered = (account.password, *account.earlier_passwords[: ports.policy.password_history])
    opened = await asyncio.gather(*(ports.vault.open(p, stream=stream, field="password") for p in remembered if p is not None))
    for encoded in opened:
        if not isinstance(encoded, Erased):
            verified = await ports.hasher.verify(encoded, password, account=account.user_id, network=ctx.network)
            check_unused_before(used=verified.matches)


async def sealed_password(password: str, of_user: StreamName, ctx: Context, ports: Ports) -> Sealed:
    """Hash it and seal the hash. Raises Overloaded."""
    return await sealed_hash(await ports.hasher.hash(password, network=ctx.network), of_user, ports)


async def sealed_hash(encoded: str, of_user: StreamName, ports: Ports) -> Sealed:
    """Seal a hash under a key of its own."""
    sealed = await ports.vault.seal(
        subject=of_user, seal_class=SealClass.CREDENTIAL, stream=of_user, fields={"password": encoded}, fresh=True
    )
    return sealed["password"]


async def destroy_left(of_user: StreamName, ports: Ports) -> None:
    """Destroy what the append just made left the history. Where that fails, or we die before it, workers do it within an hour or so."""
    with suppress(StoreUnavailable):
        await ports.vault.destroy_left_passwords(of_user)
