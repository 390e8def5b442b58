"""A user changes what they are called, sign in with, or are written to in. Nothing else is theirs to change here."""

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from commands.context import Context, Principal
from commands.held_names import HeldName, give_up, held_name, name_reads
from commands.login_names import normalise_username
from commands.ports import ClaimMac, Ports
from commands.read_profile import opened
from commands.register_user import NameText, UsernameText
from commands.revoke_session import required
from commands.standing import require_standing, standing_reads
from commands.step_up import require_proof
from commands.transact import ClaimLost, Done, Read, Transaction, read_states, transact
from domain import claim, user
from domain.account import Account
from domain.assurance import StepUp
from domain.claim import ClaimKind
from domain.errors import Contended, NoSuchUser, UsernameTaken
from domain.event import SealClass, Sealed
from domain.ids import ClaimId, UserId
from domain.locale import Locale
from domain.user import account_of

MOVES = 8
PROOF = StepUp(max_age=900)
"""For another username: it is what one signs in with, and the one before is free for others."""


class ChangeProfile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Only what is there changes; null takes it away."""

    name: NameText | UnsetType | None = UNSET
    username: UsernameText | UnsetType | None = UNSET
    locale: Locale | UnsetType | None = UNSET
    """The language of mail; null: that of the installation."""

    def __repr__(self) -> str:
        return "ChangeProfile(...)"


class _Prepared(Struct, frozen=True, kw_only=True):
    name: Sealed | UnsetType | None
    locale: Locale | UnsetType | None
    username: Sealed | UnsetType | None
    claim_id: ClaimId
    macs: tuple[ClaimMac, ...]
    """The new username under every index key still in use: it must be free under each. Empty when there is none."""


class _ClaimMoved(Exception):
    """The username changed while this was being decided."""


async def change_profile(command: ChangeProfile, ctx: Context, ports: Ports) -> Done[None]:
    """Raises InvalidUsername, UsernameTaken, InvalidToken, SessionEnded; for another username ReauthenticationRequired."""
    principal = required(ctx)
    prepared = await _prepare(command, principal.user_id, ports)
    for _ in range(MOVES):
        account = await _account(principal.user_id, ports)
        old = await _old_name(account, ports)
        wanted = prepared
        if old is not None and prepared.macs and set(prepared.macs) <= set(old.macs):
            wanted = replace(wanted, username=UNSET, macs=())
        if isinstance(command.name, str) and command.name == await opened(account.name, user.stream(account.user_id), "name", ports.vault):
            wanted = replace(wanted, name=UNSET)
        if wanted.username is not UNSET and (wanted.macs or old is not None):
            principal = await require_proof(principal, PROOF, ports)
        try:
            return await _change(wanted, principal, old, ctx, ports)
        except _ClaimMoved:
            continue
        except ClaimLost:
            raise UsernameTaken from None
    raise Contended


async def _account(user_id: UserId, ports: Ports) -> Account:
    of_user = user.stream(user_id)
    return account_of((await read_states(ports, [(user.decider, of_user)])).state(user.decider, of_user))


async def _old_name(account: Account, ports: Ports) -> HeldName | None:
    """Find what has to be given up. Raises NoSuchUser where it was erased."""
    if account.username is None or account.username_claim is None:
        return None
    old = await held_name(ClaimKind.USERNAME, account.username, account.username_claim, account.user_id, ports)
    if not old.macs:
        raise NoSuchUser
    return old


async def _prepare(command: ChangeProfile, user_id: UserId, ports: Ports) -> _Prepared:
    macs: tuple[ClaimMac, ...] = ()
    if isinstance(command.username, str):
        macs = tuple(ports.macs.claim_candidates(ClaimKind.USERNAME, normalise_username(command.username)))
    of_user = user.stream(user_id)
    texts = {f: t for f, t in (("name", command.name), ("username", command.username)) if isinstance(t, str)}
    sealed = await ports.vault.seal(subject=of_user, seal_class=SealClass.PROFILE, stream=of_user, fields=texts)
    return _Prepared(
        name=sealed["name"] if isinstance(command.name, str) else command.name,
        locale=command.locale,
        username=sealed["username"] if isinstance(command.username, str) else command.username,
        claim_id=ClaimId(ports.random.uuid7()),
        macs=macs,
    )


async def _change(prepared: _Prepared, principal: Principal, old: HeldName | None, ctx: Context, ports: Ports) -> Done[None]:
    user_id = principal.user_id
    of_user, new_claim = user.stream(user_id), claim.stream(prepared.claim_id)
    renames = prepared.username is not UNSET

    def decide(tx: Transaction) -> None:
        _, account = require_standing(tx, principal)
        if account.username_claim != (None if old is None else old.claim_id):
            raise _ClaimMoved
        state = tx.state(user.decider, of_user)
        state = tx.record(user.decider, of_user, user.change_profile(state, name=prepared.name, at=tx.at))
        state = tx.record(user.decider, of_user, user.choose_locale(state, locale=prepared.locale, at=tx.at))
        if prepared.username is UNSET:
            return
        kept = None if prepared.username is None else prepared.claim_id
        tx.record(user.decider, of_user, user.change_username(state, username=prepared.username, claim=kept, at=tx.at))
        if old is not None:
            give_up(tx, old)
        if prepared.macs:
            free = tx.state(claim.decider, new_claim)
            taken = claim.take(free, claim_id=prepared.claim_id, kind=ClaimKind.USERNAME, user_id=user_id, at=tx.at)
            tx.record(claim.decider, new_claim, taken)
            for mac in prepared.macs:
                tx.take(mac, new_claim, holder=user_id)

    reads: list[Read] = [(user.decider, of_user)]
    if renames and old is not None:
        reads += name_reads([old])
    if prepared.macs:
        reads.append((claim.decider, new_claim))
    return await transact(ports, ctx, reads, decide, glance=standing_reads(principal))
