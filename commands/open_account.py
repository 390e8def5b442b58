"""What registering and bootstrapping share: two claims, a user and a password, in one append."""

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from commands.choose_password import check_new_password, sealed_hash, sealed_password
from commands.context import Context
from commands.login_names import normalise_email, normalise_username
from commands.ports import ClaimMac, Ports
from commands.transact import ClaimLost, Done, Read, Transaction, transact
from domain import claim, user
from domain.claim import ClaimKind
from domain.errors import EmailTaken, UsernameTaken
from domain.event import SealClass, Sealed
from domain.ids import ClaimId, RoleSlug, StreamName, UserId
from domain.user_events import PasswordReason, RegisteredBy


class Registered(Struct, frozen=True, kw_only=True):
    user_id: UserId


class StoredHash(Struct, frozen=True):
    """Instead of a password: what another system kept of one, or we ourselves while a registration waited."""

    encoded: str

    def __repr__(self) -> str:
        return "StoredHash(...)"


class NewAccount(Struct, frozen=True, kw_only=True):
    email: str
    password: str | StoredHash
    username: str | None
    name: str | None
    roles: tuple[RoleSlug, ...]
    registered_by: RegisteredBy

    def __repr__(self) -> str:
        return f"NewAccount(registered_by={self.registered_by})"


class _Name(Struct, frozen=True, kw_only=True):
    kind: ClaimKind
    claim_id: ClaimId
    macs: tuple[ClaimMac, ...]
    """The name under every index key still in use: it must be free under each."""


async def open_account(
    wanted: NewAccount,
    ctx: Context,
    ports: Ports,
    *,
    alongside: Sequence[Read] = (),
    decide_alongside: Callable[[Transaction, UserId], None] | None = None,
) -> Done[Registered]:
    """Append the account and whatever the caller decides beside it, all or nothing.

    Raises InvalidEmail, InvalidUsername, PasswordUnacceptable, EmailTaken, UsernameTaken.
    """
    await check_account(wanted, ctx, ports)
    names = _names(wanted, ports)
    user_id = UserId(ports.random.uuid7())
    sealed = await _seal(wanted, user.stream(user_id), ctx, ports)

    def decide(tx: Transaction) -> Registered:
        _take(tx, names, user_id)
        _register(tx, wanted, names, user_id, sealed)
        if decide_alongside is not None:
            decide_alongside(tx, user_id)
        return Registered(user_id=user_id)

    claims: list[Read] = [(claim.decider, claim.stream(name.claim_id)) for name in names]
    reads: list[Read] = [(user.decider, user.stream(user_id)), *claims, *alongside]
    try:
        return await transact(ports, ctx, reads, decide, remember=Registered)
    except ClaimLost:
        email = ports.macs.claim_candidates(ClaimKind.EMAIL, normalise_email(wanted.email))
        email_taken = (await ports.store.find_holder(email)).holder is not None
        raise (EmailTaken if email_taken else UsernameTaken) from None


async def check_account(wanted: NewAccount, ctx: Context, ports: Ports) -> None:
    """Raise InvalidEmail, InvalidUsername or PasswordUnacceptable for what no account may have, Overloaded."""
    normalise_email(wanted.email)
    if wanted.username is not None:
        normalise_username(wanted.username)
    if isinstance(wanted.password, str):
        await check_new_password(wanted.password, wanted.email, wanted.username, wanted.name, ctx=ctx, ports=ports)


def _names(wanted: NewAccount, ports: Ports) -> tuple[_Name, ...]:
    chosen = [(ClaimKind.EMAIL, normalise_email(wanted.email))]
    if wanted.username is not None:
        chosen.append((ClaimKind.USERNAME, normalise_username(wanted.username)))
    return tuple(
        _Name(kind=kind, claim_id=ClaimId(ports.random.uuid7()), macs=tuple(ports.macs.claim_candidates(kind, name)))
        for kind, name in chosen
    )


async def _seal(wanted: NewAccount, stream: StreamName, ctx: Context, ports: Ports) -> Mapping[str, Sealed]:
    """Hash the password and seal every text, before anything is decided: a decision is pure."""
    if isinstance(wanted.password, StoredHash):
        password = await sealed_hash(wanted.password.encoded, stream, ports)
    else:
        password = await sealed_password(wanted.password, stream, ctx, ports)
    texts = {"email": wanted.email, "username": wanted.username, "name": wanted.name}
    profile = await ports.vault.seal(
        subject=stream,
        seal_class=SealClass.PROFILE,
        stream=stream,
        fields={field: text for field, text in texts.items() if text is not None},
    )
    return {**profile, "password": password}


def _take(tx: Transaction, names: Sequence[_Name], user_id: UserId) -> None:
    for name in names:
        stream = claim.stream(name.claim_id)
        taken = claim.take(tx.state(claim.decider, stream), claim_id=name.claim_id, kind=name.kind, user_id=user_id, at=tx.at)
        tx.record(claim.decider, stream, taken)
        for mac in name.macs:
            tx.take(mac, stream, holder=user_id)


def _register(tx: Transaction, wanted: NewAccount, names: Sequence[_Name], user_id: UserId, sealed: Mapping[str, Sealed]) -> None:
    stream = user.stream(user_id)
    claims = {name.kind: name.claim_id for name in names}
    registered = user.register(
        tx.state(user.decider, stream),
        user_id=user_id,
        email=sealed["email"],
        email_claim=claims[ClaimKind.EMAIL],
        username=sealed.get("username"),
        username_claim=claims.get(ClaimKind.USERNAME),
        name=sealed.get("name"),
        password=sealed["password"],
        roles=wanted.roles,
        registered_by=wanted.registered_by,
        reason=PasswordReason.IMPORTED if wanted.registered_by is RegisteredBy.IMPORT else PasswordReason.CHOSEN,
        at=tx.at,
    )
    tx.record(user.decider, stream, registered)
