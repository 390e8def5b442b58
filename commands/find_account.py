"""Who a login name leads to: read the same way, at the same cost, whether or not there is anybody (threats.md 15)."""

from datetime import datetime

from msgspec import Struct

from commands.audience_heads import audience_reads
from commands.factor_policy_head import POLICY_READ
from commands.login_names import GuardedName
from commands.ports import Heads, Ports, PresentedDevice
from commands.transact import folded
from domain import audience as rules
from domain import factor_policy, factors, sign_in_guard, user
from domain.account import Account
from domain.audience import open_to_people
from domain.claim import ClaimKind
from domain.event import Erased, Sealed
from domain.factor_policy import FactorPolicy
from domain.factor_state import Factors
from domain.ids import AudienceName, StreamName, SubjectKeyId
from domain.user import Active


class Found(Struct, frozen=True, kw_only=True):
    """What is known under a login name before any password was looked at. An unknown name is found as nothing, at equal cost."""

    account: Account | None
    active: bool
    sealed: Sealed
    """The hash to look at, with the stream it is sealed for: its own, or a stand-in's."""
    sealed_for: StreamName
    seen: Heads
    """Of the user whose hash that is, as the account was read from it, and of their factors; then of the policy, and of the audience
    where it is not Minos itself."""
    factors: Factors
    """What has to be shown besides the password; a stand-in's where there is nobody."""
    policy: FactorPolicy
    """Who has to have something to show."""
    locked_at: datetime | None
    """When its newest lock began, as the log has it."""

    @property
    def has_password(self) -> bool:
        """Whether there has to be a hash that can be opened: only an account that was deleted may be without the key to its own."""
        return self.active and self.account is not None and self.account.password is not None

    def __repr__(self) -> str:
        return "Found(...)"


async def find_account(kind: ClaimKind, name: GuardedName, ports: Ports, *, audience: AudienceName) -> Found:
    """The same read whether or not there is anybody: name, user, lock, and the audience they ask for. Raises AudienceNotAllowed.

    What an unknown name has none of is read of somebody else and thrown away: rows that are missing are found, decoded and
    opened a tenth of a millisecond sooner than rows that are there.
    """
    read = await ports.store.find_holder(
        ports.macs.claim_candidates(kind, name.normalised),
        categories=[user.decider.category, sign_in_guard.decider.category, factors.decider.category],
        also=[stream for _, stream in (POLICY_READ, *audience_reads([audience]))],
    )
    of_user, of_guard, of_factors, of_policy, *of_audience = read.heads
    for head in of_audience:
        open_to_people(await folded(ports.store, head, rules.decider))
    state = await folded(ports.store, of_user, user.decider)
    guard = await folded(ports.store, of_guard, sign_in_guard.decider)
    account = None if isinstance(state, user.Absent | user.Erased) else state.account
    known = account is not None and read.holder is not None
    nobodys = Sealed(key_id=SubjectKeyId(ports.random.uuid7()), box=b"")
    return Found(
        account=account if known else None,
        active=known and isinstance(state, Active),
        sealed=(account.password if account is not None else None) or nobodys,
        sealed_for=of_user.stream,
        seen=Heads(heads=(of_user, of_factors, of_policy, *of_audience), at=read.at),
        factors=await folded(ports.store, of_factors, factors.decider),
        policy=await folded(ports.store, of_policy, factor_policy.decider),
        locked_at=guard.locked_at if known else None,
    )


async def open_password(found: Found, ports: Ports) -> str | None:
    """Open the hash, a stand-in's too; None where it is nobody's."""
    encoded = await ports.vault.open(found.sealed, stream=found.sealed_for, field="password")
    return None if found.account is None or isinstance(encoded, Erased) else encoded


def known_device(device: PresentedDevice | None, account: Account | None) -> PresentedDevice | None:
    """A device counts as known only for the account it signed in to, under the token epoch it did so."""
    if device is None or account is None or device.user_id != account.user_id or device.epoch != account.token_epoch:
        return None
    return device
