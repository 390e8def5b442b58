"""One account of another system becomes ours, with the hash of its password as that system made it."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from commands.context import Context
from commands.login_names import normalise_email, normalise_username
from commands.open_account import NewAccount, StoredHash, open_account
from commands.ports import Ports
from commands.register_user import EmailText, NameText, UsernameText
from commands.transact import Transaction
from domain import codec, user
from domain.claim import ClaimKind
from domain.errors import EmailTaken, InvalidEmail, InvalidUsername, UsernameTaken
from domain.ids import RoleName, UserId
from domain.mailbox_proof import prove_new
from domain.user_events import RegisteredBy, UserRegistered


class ImportUser(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rights are not imported: the account gets the default role."""

    email: EmailText
    password_hash: Annotated[str, Meta(min_length=1, max_length=1_024)]
    username: UsernameText | None = None
    name: NameText | None = None
    email_verified: bool = False
    """The other system has seen a proof of the address: whoever imports vouches for it."""

    def __repr__(self) -> str:
        return "ImportUser(...)"


class Outcome(StrEnum):
    IMPORTED = "imported"
    ALREADY_IMPORTED = "already_imported"
    """An earlier run did; what has happened to the account since stays."""
    INVALID_EMAIL = "invalid_email"
    INVALID_USERNAME = "invalid_username"
    EMAIL_TAKEN = "email_taken"
    USERNAME_TAKEN = "username_taken"
    HASH_UNKNOWN = "hash_unknown"
    HASH_TOO_COSTLY = "hash_too_costly"
    HASH_TOO_SHORT = "hash_too_short"


async def import_user(command: ImportUser, ctx: Context, ports: Ports, *, dry_run: bool = False) -> Outcome:
    """Say what became, or with `dry_run` would become, of it. Safe to repeat. Raises StoreUnavailable, Contended."""
    try:
        refusal = await _refusal(command, ports)
    except InvalidEmail:
        return Outcome.INVALID_EMAIL
    except InvalidUsername:
        return Outcome.INVALID_USERNAME
    if refusal is not None or dry_run:
        return refusal or Outcome.IMPORTED
    wanted = NewAccount(
        email=command.email,
        password=StoredHash(command.password_hash),
        username=command.username,
        name=command.name,
        roles=(RoleName(ports.policy.default_role),),
        registered_by=RegisteredBy.IMPORT,
    )

    def vouch(tx: Transaction, user_id: UserId) -> None:
        stream = user.stream(user_id)
        if command.email_verified:
            tx.record(user.decider, stream, prove_new(tx.state(user.decider, stream), at=tx.at))

    try:
        await open_account(wanted, ctx, ports, decide_alongside=vouch)
    except EmailTaken:
        return Outcome.EMAIL_TAKEN
    except UsernameTaken:
        return Outcome.USERNAME_TAKEN
    return Outcome.IMPORTED


async def _refusal(command: ImportUser, ports: Ports) -> Outcome | None:
    """Look at everything first: an account that cannot be made costs no keys. Raises InvalidEmail, InvalidUsername."""
    email = normalise_email(command.email)
    username = None if command.username is None else normalise_username(command.username)
    if (why := ports.hasher.unusable(command.password_hash)) is not None:
        return Outcome(why.value)
    holder = await _holder(ClaimKind.EMAIL, email, ports)
    if holder is not None:
        return Outcome.ALREADY_IMPORTED if await _was_imported(holder, ports) else Outcome.EMAIL_TAKEN
    if username is not None and await _holder(ClaimKind.USERNAME, username, ports) is not None:
        return Outcome.USERNAME_TAKEN
    return None


async def _holder(kind: ClaimKind, name: str, ports: Ports) -> UserId | None:
    holder = (await ports.store.find_holder(ports.macs.claim_candidates(kind, name))).holder
    return None if holder is None else UserId(holder)


async def _was_imported(user_id: UserId, ports: Ports) -> bool:
    first = (await ports.store.read_stream(user.stream(user_id)))[0]
    registered = codec.decode_event(first.type, first.payload)
    return isinstance(registered, UserRegistered) and registered.registered_by is RegisteredBy.IMPORT
