"""The names an account holds, as every index key still in use spells them: what has to be given up with it."""

from collections.abc import Sequence

from msgspec import Struct

from commands.login_names import normalise
from commands.ports import ClaimMac, Ports
from commands.read_profile import opened
from commands.transact import Read, Transaction
from domain import claim, user
from domain.account import Account
from domain.claim import ClaimKind
from domain.event import Sealed
from domain.ids import ClaimId, UserId


class HeldName(Struct, frozen=True, kw_only=True):
    claim_id: ClaimId
    macs: tuple[ClaimMac, ...]
    """Empty where the name has been erased: then its rows are gone, too."""


async def held_names(account: Account, ports: Ports) -> tuple[HeldName, ...]:
    """All of them, also an earlier address that is not released yet."""
    held = [await held_name(ClaimKind.EMAIL, account.email, account.email_claim, account.user_id, ports)]
    if account.earlier is not None:
        held.append(await held_name(ClaimKind.EMAIL, account.earlier.email, account.earlier.claim, account.user_id, ports))
    if account.username_claim is not None:
        held.append(await held_name(ClaimKind.USERNAME, account.username, account.username_claim, account.user_id, ports))
    return tuple(held)


async def held_name(kind: ClaimKind, sealed: Sealed | None, claim_id: ClaimId, of: UserId, ports: Ports) -> HeldName:
    text = await opened(sealed, user.stream(of), kind.value, ports.vault)
    macs = () if text is None else tuple(ports.macs.claim_candidates(kind, normalise(kind, text)))
    return HeldName(claim_id=claim_id, macs=macs)


def give_up(tx: Transaction, name: HeldName) -> None:
    """Nothing happens where it was given up before: its rows went with that, or are another's by now."""
    stream = claim.stream(name.claim_id)
    if released := claim.release(tx.state(claim.decider, stream), at=tx.at):
        tx.record(claim.decider, stream, released)
        for mac in name.macs:
            tx.release(mac, stream)


def name_reads(names: Sequence[HeldName]) -> list[Read]:
    return [(claim.decider, claim.stream(name.claim_id)) for name in names]


async def names_of_claims(claims: Sequence[ClaimId], ports: Ports) -> tuple[HeldName, ...]:
    """Give names that nobody can spell any more, by the claims that hold them."""
    rows = await ports.store.names_of([claim.stream(each) for each in claims]) if claims else ()
    return tuple(HeldName(claim_id=each, macs=tuple(mac for mac, stream in rows if stream == claim.stream(each))) for each in claims)
