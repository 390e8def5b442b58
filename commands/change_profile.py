"""A user changes how they are called, or the name they sign in with. Nothing else is theirs to change here."""

from msgspec import UNSET, Struct, UnsetType

from commands.context import Context
from commands.login_names import normalise_username
from commands.ports import ClaimMac, Ports
from commands.register_user import NameText, UsernameText
from commands.revoke_session import required
from commands.transact import ClaimLost, Done, Read, Transaction, read_states, transact
from domain import claim, user
from domain.claim import ClaimKind
from domain.errors import Contended, UsernameTaken
from domain.event import SealClass, Sealed
from domain.ids import ClaimId, UserId
from domain.user import account_of

MOVES = 8


class ChangeProfile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Only what is there changes; null takes it away."""

    name: NameText | UnsetType | None = UNSET
    username: UsernameText | UnsetType | None = UNSET

    def __repr__(self) -> str:
        return "ChangeProfile(...)"


class _Prepared(Struct, frozen=True, kw_only=True):
    name: Sealed | UnsetType | None
    username: Sealed | UnsetType | None
    claim_id: ClaimId
    mac: ClaimMac | None


class _ClaimMoved(Exception):
    """The username changed while this was being decided."""


async def change_profile(command: ChangeProfile, ctx: Context, ports: Ports) -> Done[None]:
    """Raises InvalidUsername, UsernameTaken."""
    user_id = required(ctx).user_id
    of_user = user.stream(user_id)
    prepared = await _prepare(command, user_id, ports)
    for _ in range(MOVES):
        account = account_of((await read_states(ports, [(user.decider, of_user)])).state(user.decider, of_user))
        if prepared.mac is not None and await _already_own(prepared.mac, account.username_claim, ports):
            prepared = _Prepared(name=prepared.name, username=UNSET, claim_id=prepared.claim_id, mac=None)
        try:
            return await _change(prepared, user_id, account.username_claim, ctx, ports)
        except _ClaimMoved:
            continue
        except ClaimLost:
            raise UsernameTaken from None
    raise Contended


async def _prepare(command: ChangeProfile, user_id: UserId, ports: Ports) -> _Prepared:
    mac = None
    if isinstance(command.username, str):
        mac = ports.macs.claim(ClaimKind.USERNAME, normalise_username(command.username))
    of_user = user.stream(user_id)
    texts = {f: t for f, t in (("name", command.name), ("username", command.username)) if isinstance(t, str)}
    sealed = await ports.vault.seal(subject=of_user, seal_class=SealClass.PROFILE, stream=of_user, fields=texts)
    return _Prepared(
        name=sealed["name"] if isinstance(command.name, str) else command.name,
        username=sealed["username"] if isinstance(command.username, str) else command.username,
        claim_id=ClaimId(ports.random.uuid7()),
        mac=mac,
    )


async def _already_own(mac: ClaimMac, own: ClaimId | None, ports: Ports) -> bool:
    return own is not None and await ports.store.find_claim([mac]) == claim.stream(own)


async def _change(prepared: _Prepared, user_id: UserId, old: ClaimId | None, ctx: Context, ports: Ports) -> Done[None]:
    of_user, new_claim = user.stream(user_id), claim.stream(prepared.claim_id)
    renames = prepared.username is not UNSET

    def decide(tx: Transaction) -> None:
        state = tx.state(user.decider, of_user)
        if account_of(state).username_claim != old:
            raise _ClaimMoved
        state = tx.record(user.decider, of_user, user.change_profile(state, name=prepared.name, at=tx.at))
        if prepared.username is UNSET:
            return
        kept = None if prepared.username is None else prepared.claim_id
        tx.record(user.decider, of_user, user.change_username(state, username=prepared.username, claim=kept, at=tx.at))
        if old is not None:
            stream = claim.stream(old)
            tx.record(claim.decider, stream, claim.release(tx.state(claim.decider, stream), at=tx.at))
            tx.release(stream)
        if prepared.mac is not None:
            free = tx.state(claim.decider, new_claim)
            taken = claim.take(free, claim_id=prepared.claim_id, kind=ClaimKind.USERNAME, user_id=user_id, at=tx.at)
            tx.record(claim.decider, new_claim, taken)
            tx.take(prepared.mac, new_claim)

    reads: list[Read] = [(user.decider, of_user)]
    if renames and old is not None:
        reads.append((claim.decider, claim.stream(old)))
    if prepared.mac is not None:
        reads.append((claim.decider, new_claim))
    return await transact(ports, ctx, reads, decide)
