"""The names an account holds, as every index key still in use spells them: what has to be given up with it."""

from collections.abc import Sequence

from msgspec import Struct

from commands.login_names import normalise
from commands.ports import ClaimMac, Ports
from commands.read_profile import opened
from commands.transact import Read
from domain import claim, user
from domain.account import Account
from domain.claim import ClaimKind
from domain.ids import ClaimId


class HeldName(Struct, frozen=True, kw_only=True):
    claim_id: ClaimId
    macs: tuple[ClaimMac, ...]
    """Empty where the name has been erased: then its rows are gone, too."""


async def held_names(account: Account, ports: Ports) -> tuple[HeldName, ...]:
    held = (
        (ClaimKind.EMAIL, account.email, account.email_claim),
        (ClaimKind.USERNAME, account.username, account.username_claim),
    )
    names: list[HeldName] = []
    for kind, sealed, claim_id in held:
        if claim_id is None:
            continue
        text = await opened(sealed, user.stream(account.user_id), kind.value, ports.vault)
        macs = () if text is None else tuple(ports.macs.claim_candidates(kind, normalise(kind, text)))
        names.append(HeldName(claim_id=claim_id, macs=macs))
    return tuple(names)


def name_reads(names: Sequence[HeldName]) -> list[Read]:
    return [(claim.decider, claim.stream(name.claim_id)) for name in names]
