"""A password is shown, a session begins. Unknown, wrong, suspended and locked look and cost the same (threats.md 15, 16)."""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from commands.audience_heads import audience_reads
from commands.choose_password import destroy_left, sealed_password
from commands.context import Context
from commands.known_networks import network_mac
from commands.login_names import GuardedName, guarded_name
from commands.ports import AttemptOutcome, Commit, GuardReading, Heads, Ports, PresentedDevice, SignInChallenge, StreamWrite
from commands.register_user import NameText, PasswordText
from commands.sign_in_challenge import FactorRequired, ask_for_factor
from commands.sign_in_signals import origin_of, suspicious_signals
from commands.start_session import Entry, start_session
from commands.token_answer import SignedIn
from commands.transact import Transaction, folded, read_states, transact
from domain import audience as rules
from domain import factors, sign_in_guard, user
from domain.account import Account
from domain.audience import open_to_people
from domain.claim import ClaimKind
from domain.errors import (
    AudienceNotAllowed,
    Contended,
    EmailNotVerified,
    InvalidCredentials,
    LoginNameRequired,
    Overloaded,
    StoreUnavailable,
)
from domain.event import Erased, Sealed
from domain.factors import Factors
from domain.ids import AudienceName, AudienceSlug, CommandId, SessionId, StreamName, SubjectKeyId, UserId
from domain.session import MINOS
from domain.session_events import AuthMethod
from domain.sign_in_guard import COUNTER_TTL, DELAY_AFTER
from domain.suspicion import Signal
from domain.user import Active


class SignIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Exactly one of `email` and `username`. Without `audience` the token is for Minos itself."""

    password: PasswordText
    email: Annotated[str, Meta(max_length=320)] | None = None
    username: Annotated[str, Meta(max_length=320)] | None = None
    audience: AudienceSlug | None = None
    device_name: NameText | None = None
    device_token: Annotated[str, Meta(max_length=512)] | None = None

    def __repr__(self) -> str:
        return "SignIn(...)"


class _Found(Struct, frozen=True, kw_only=True):
    """What is known under a login name before any password was looked at. An unknown name is found as nothing, at equal cost."""

    account: Account | None
    active: bool
    sealed: Sealed
    """The hash to look at, with the stream it is sealed for: its own, or a stand-in's."""
    sealed_for: StreamName
    seen: Heads
    """Of the user whose hash that is, as the account was read from it; and of the audience, where it is not Minos itself."""
    factors: Factors
    """What has to be shown besides the password; a stand-in's where there is nobody."""
    locked_at: datetime | None
    """When its newest lock began, as the log has it."""

    def __repr__(self) -> str:
        return "_Found(...)"


async def sign_in(command: SignIn, ctx: Context, ports: Ports) -> SignedIn | FactorRequired:
    """Begin a session and issue its first token, or say what is asked for besides the password.

    Raises InvalidCredentials, EmailNotVerified, AudienceNotAllowed, Overloaded.
    """
    kind, text = _login_name(command)
    audience = command.audience or MINOS
    presented = None if command.device_token is None else ports.mint.read_device_token(command.device_token)
    if presented is None:
        ports.hasher.require_room(network=ctx.network)  # a flood is turned away before it costs a read
    name = guarded_name(kind, text)
    found = await _find(kind, name, ports, audience=audience)
    device = _known_device(presented, found.account)
    if presented is not None and device is None:
        ports.hasher.require_room(network=ctx.network)  # somebody's device, and a stranger's here
    name_mac = ports.macs.login_name(_counted_as(name, found))
    device_mac = None if device is None else ports.macs.device(device.device_id)
    encoded = await _password(found, ports)  # before the attempt counts: nobody is to be locked out because a store is away
    network = network_mac(found.account, ctx, ports)
    origin = origin_of(name_mac, ctx, ports)
    reading = await ports.guard.admit(name_mac, device_mac=device_mac, network_mac=network, facts=origin.facts)
    strange = suspicious_signals(origin, reading, ports, known_device=device is not None)
    await _recall_lock(name_mac, found, reading, ports)
    # A locked name still costs a hash, so that the lock cannot be told from a wrong password by the clock.
    encoded = encoded if reading.may_try else None
    try:
        answer = await _proven(command, found, ctx, ports, encoded=encoded, device=device, audience=audience, strange=strange)
    except InvalidCredentials:
        await _refuse(name_mac, found, reading, ctx, ports, known_device=device is not None)
        raise
    except EmailNotVerified:  # the password was right: nobody guessed
        await ports.guard.forgive(name_mac, device_mac=device_mac)
        raise
    except (AudienceNotAllowed, Contended, Overloaded, StoreUnavailable):
        if reading.may_try:  # nobody guessed: who tries again when we are better must not find the door locked for it
            with suppress(StoreUnavailable):
                await ports.guard.take_back(name_mac, reading=reading)
        raise
    with suppress(StoreUnavailable):  # the session is there, and its tokens must reach their owner; a count too high is the safe side
        if isinstance(answer, SignedIn):
            facts = () if reading.facts_are_fresh else origin.facts
            await ports.guard.forgive(name_mac, device_mac=device_mac, network_mac=network, facts=facts)
        else:  # a right password alone makes up for no wrong one
            await ports.guard.take_back(name_mac, reading=reading)
    return answer


async def _proven(
    command: SignIn,
    found: _Found,
    ctx: Context,
    ports: Ports,
    *,
    encoded: str | None,
    device: PresentedDevice | None,
    audience: AudienceName,
    strange: tuple[Signal, ...],
) -> SignedIn | FactorRequired:
    """Look at the password, and begin the session or ask for more.

    Raises InvalidCredentials where it is wrong, or right for what is no longer so.
    """
    account = None if device is None else device.user_id
    verified = await ports.hasher.verify(encoded, command.password, account=account, network=ctx.network, alike=True)
    if found.account is None or not verified.matches or not found.active:
        raise InvalidCredentials
    if not found.account.email_verified and not ports.policy.unverified_sign_in:
        raise EmailNotVerified
    if verified.outdated:
        await _rehash(found.account, command.password, ctx, ports)
    entry = Entry(
        account=found.account,
        session_id=SessionId(ports.random.uuid7()),
        audience=audience,
        device_id=ports.random.uuid7() if device is None else device.device_id,
        device_name=command.device_name,
        methods=(AuthMethod.PASSWORD,),
        signals=strange,
    )
    if found.factors.enrolled:
        return ask_for_factor(_challenge(entry, known_device=device is not None, at=found.seen.at), found.factors, ports)
    return await start_session(entry, ctx, ports, seen=found.seen)


def _challenge(entry: Entry, *, known_device: bool, at: datetime) -> SignInChallenge:
    return SignInChallenge(
        session_id=entry.session_id,
        user_id=entry.account.user_id,
        token_epoch=entry.account.token_epoch,
        password_version=entry.account.password_version,
        audience=entry.audience,
        device_id=entry.device_id,
        known_device=known_device,
        device_name=entry.device_name,
        methods=entry.methods,
        signals=entry.signals,
        at=at,
    )


def _login_name(command: SignIn) -> tuple[ClaimKind, str]:
    match command.email, command.username:
        case str(email), None:
            return ClaimKind.EMAIL, email
        case None, str(username):
            return ClaimKind.USERNAME, username
        case _:
            raise LoginNameRequired


async def _find(kind: ClaimKind, name: GuardedName, ports: Ports, *, audience: AudienceName) -> _Found:
    """The same read whether or not there is anybody: name, user, lock, and the audience they ask for. Raises AudienceNotAllowed.

    What an unknown name has none of is read of somebody else and thrown away: rows that are missing are found, decoded and
    opened a tenth of a millisecond sooner than rows that are there.
    """
    read = await ports.store.find_holder(
        ports.macs.claim_candidates(kind, name.normalised),
        categories=[user.decider.category, sign_in_guard.decider.category, factors.decider.category],
        also=[stream for _, stream in audience_reads([audience])],
    )
    of_user, of_guard, of_factors, *of_audience = read.heads
    for head in of_audience:
        open_to_people(await folded(ports.store, head, rules.decider))
    state = await folded(ports.store, of_user, user.decider)
    guard = await folded(ports.store, of_guard, sign_in_guard.decider)
    account = None if isinstance(state, user.Absent) else state.account
    known = account is not None and read.holder is not None
    nobodys = Sealed(key_id=SubjectKeyId(ports.random.uuid7()), box=b"")
    return _Found(
        account=account if known else None,
        active=known and isinstance(state, Active),
        sealed=(account.password if account is not None else None) or nobodys,
        sealed_for=of_user.stream,
        seen=Heads(heads=(of_user, *of_audience), at=read.at),
        factors=await folded(ports.store, of_factors, factors.decider),
        locked_at=guard.locked_at if known else None,
    )


async def _password(found: _Found, ports: Ports) -> str | None:
    """Open the hash, a stand-in's too; None where it is nobody's."""
    encoded = await ports.vault.open(found.sealed, stream=found.sealed_for, field="password")
    return None if found.account is None or isinstance(encoded, Erased) else encoded


def _counted_as(name: GuardedName, found: _Found) -> str:
    """An account has one counter, whichever of its names is used: guessing under both earns no second hundred."""
    return name.counted_as if found.account is None else f"account:{found.account.user_id}"


async def _recall_lock(name_mac: bytes, found: _Found, reading: GuardReading, ports: Ports) -> None:
    """A crash of the database forgets counters; the log does not forget a lock: its name starts again where waits begin."""
    since = reading.counting_since
    if since is None or found.locked_at is None or reading.failures >= DELAY_AFTER:
        return
    if found.locked_at < since and reading.at - found.locked_at < timedelta(seconds=COUNTER_TTL):
        await ports.guard.seed(name_mac, DELAY_AFTER)


def _known_device(device: PresentedDevice | None, account: Account | None) -> PresentedDevice | None:
    """A device counts as known only for the account it signed in to, under the token epoch it did so."""
    if device is None or account is None or device.user_id != account.user_id or device.epoch != account.token_epoch:
        return None
    return device


async def _refuse(name_mac: bytes, found: _Found, reading: GuardReading, ctx: Context, ports: Ports, *, known_device: bool) -> None:
    account = found.account
    if not reading.may_try:
        outcome = AttemptOutcome.LOCKED
    elif account is None:
        outcome = AttemptOutcome.UNKNOWN_NAME
    else:
        outcome = AttemptOutcome.WRONG_PASSWORD if found.active else AttemptOutcome.SUSPENDED
    user_id: UUID | None = None if account is None else account.user_id
    await ports.guard.refused(name_mac, user_id=user_id, outcome=outcome, known_device=known_device)
    if reading.lock_began and reading.locked_until is not None:
        if account is None:
            await _remember_nothing(ctx, ports)
        else:
            await _remember_lock(account, reading.failures, reading.locked_until, ctx, ports)


async def _remember_nothing(ctx: Context, ports: Ports) -> None:
    """Cost an unknown name what remembering its lock costs a real account: a read, and a write of no events."""
    stream = sign_in_guard.stream(UserId(ports.random.uuid7()))
    await read_states(ports, [(sign_in_guard.decider, stream)])
    nothing = StreamWrite(stream=stream, expected=0, events=(), state=b"", state_version=sign_in_guard.decider.state_version)
    command_id = CommandId(ports.random.uuid7())
    commit = Commit(
        command_id=command_id,
        actor=ctx.actor,
        session_id=None,
        correlation_id=ctx.correlation_id,
        causation_id=None,
        writes=(nothing,),
    )
    await ports.store.append(commit)


async def _remember_lock(account: Account, failures: int, until: datetime, ctx: Context, ports: Ports) -> None:
    stream = sign_in_guard.stream(account.user_id)

    def decide(tx: Transaction) -> None:
        events = sign_in_guard.lock(
            tx.state(sign_in_guard.decider, stream),
            user_id=account.user_id,
            failures=failures,
            until=until,
            at=tx.at,
        )
        tx.record(sign_in_guard.decider, stream, events)

    await transact(ports, ctx, [(sign_in_guard.decider, stream)], decide)


async def _rehash(account: Account, password: str, ctx: Context, ports: Ports) -> None:
    """Bring the stored hash to today's parameters while the password is at hand, unless the hashers are too busy now."""
    of_user = user.stream(account.user_id)
    try:
        sealed = await sealed_password(password, of_user, ctx, ports)
    except Overloaded:
        return

    def decide(tx: Transaction) -> None:
        events = user.rehash_password(
            tx.state(user.decider, of_user),
            password=sealed,
            verified_version=account.password_version,
            at=tx.at,
        )
        tx.record(user.decider, of_user, events)

    await transact(ports, ctx, [(user.decider, of_user)], decide)
    await destroy_left(of_user, ports)
