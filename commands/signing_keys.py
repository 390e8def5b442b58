"""Turn the keys that sign: the next one of a use is always published before it signs anything."""

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from msgspec import Struct

from commands.context import Context
from commands.ports import NewKey, Ports
from commands.transact import Done, Read, Transaction, read_states, transact
from domain import signing_key
from domain.errors import Contended, NoSuchSigningKey
from domain.ids import Kid, KidText
from domain.signing_key import Active, Algorithm, KeyRevocation, Published, Purpose

LONGEST_TOKEN = 3_600 + 60
"""Seconds a token may still be good after its key stopped signing: the cap on its life, and the verifiers' leeway. What is signed for
other purposes lives shorter, or is signed anew with the next key."""


class Use(NamedTuple):
    """What a key is for: of each, one signs at a time."""

    purpose: Purpose
    algorithm: Algorithm


OTHER_USES = (Use(Purpose.SIGNALS, Algorithm.ES256), Use(Purpose.INTERNAL, Algorithm.ES256))
"""Besides access tokens, whose audiences may choose. Verifiers of these take one algorithm only."""


class RotateSigningKey(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`algorithm` is for access tokens; other purposes have one of their own."""

    algorithm: Algorithm = Algorithm.ES256
    purpose: Purpose = Purpose.ACCESS

    @property
    def use(self) -> Use:
        return next((use for use in OTHER_USES if use.purpose is self.purpose), Use(self.purpose, self.algorithm))


class RevokeSigningKey(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    kid: KidText
    reason: KeyRevocation = KeyRevocation.COMPROMISED


class Rotated(Struct, frozen=True, kw_only=True):
    active: KidText
    published: KidText
    retired: tuple[KidText, ...]


async def rotate_signing_key(command: RotateSigningKey, ctx: Context, ports: Ports) -> Done[Rotated]:
    """Promote the published key of a use, retire its active one, publish the one after. The very first time there are two to make.

    Keys of other uses stay as they are: an audience may be signed for with each algorithm.
    Raises Contended when another rotation used up the published key meanwhile.
    """
    kids, use = await ports.keys.kids(), command.use
    spare = None if await _published(kids, use, ports) else await ports.keys.generate(use.algorithm)
    following = await ports.keys.generate(use.algorithm)

    def decide(tx: Transaction) -> Rotated:
        active = tuple(kid for kid in kids if _is_active(_state(tx, kid), use))
        promoted = _promote_next(tx, kids, use, spare)
        for kid in active:
            until = tx.at + timedelta(seconds=LONGEST_TOKEN)
            events = signing_key.retire(_state(tx, kid), verify_until=until, at=tx.at)
            tx.record(signing_key.decider, signing_key.stream(kid), events)
        return Rotated(active=promoted, published=_create(tx, following, use.purpose), retired=active)

    done = await transact(ports, ctx, _reads(kids, spare, following), decide)
    await ports.keys.refresh()
    return done


async def ensure_signing_keys(algorithm: Algorithm, ctx: Context, ports: Ports) -> None:
    """Make the first pair of each purpose that no key is active for; for every start. `algorithm` is for access tokens, where none of
    any algorithm is active. Two starting at once make a pair each, which is harmless."""
    active = await _active_uses(ports)
    if not any(use.purpose is Purpose.ACCESS for use in active):
        await rotate_signing_key(RotateSigningKey(algorithm=algorithm), ctx, ports)
    for use in OTHER_USES:
        if use not in active:
            await rotate_signing_key(RotateSigningKey(purpose=use.purpose), ctx, ports)


async def ensure_signing_key(algorithm: Algorithm, ctx: Context, ports: Ports) -> None:
    """Make the first pair for access tokens of an algorithm that no key is active of."""
    if Use(Purpose.ACCESS, algorithm) not in await _active_uses(ports):
        await rotate_signing_key(RotateSigningKey(algorithm=algorithm), ctx, ports)


async def _active_uses(ports: Ports) -> set[Use]:
    kids = await ports.keys.kids()
    if not kids:
        return set()
    tx = await read_states(ports, _reads(kids))
    return {Use(state.purpose, state.algorithm) for kid in kids if isinstance(state := _state(tx, kid), Active)}


def _is_active(state: signing_key.SigningKey, use: Use) -> bool:
    return isinstance(state, Active) and (state.purpose, state.algorithm) == use


async def revoke_signing_key(command: RevokeSigningKey, ctx: Context, ports: Ports) -> Done[None]:
    """Withdraw a key at once; where it was the active one, the published one takes its place in the same append.

    Raises NoSuchSigningKey, Contended.
    """
    kids = await ports.keys.kids()
    if command.kid not in kids:
        raise NoSuchSigningKey
    state = _state(await read_states(ports, _reads([command.kid])), command.kid)
    use = Use(state.purpose, state.algorithm) if isinstance(state, Active | Published) else None
    others = [kid for kid in kids if kid != command.kid]
    spare = following = None
    if use is not None:
        spare = None if await _published(others, use, ports) else await ports.keys.generate(use.algorithm)
        following = await ports.keys.generate(use.algorithm)

    def decide(tx: Transaction) -> None:
        state = _state(tx, command.kid)
        events = signing_key.revoke(state, reason=command.reason, at=tx.at)
        tx.record(signing_key.decider, signing_key.stream(command.kid), events)
        if isinstance(state, Active):
            _promote_next(tx, others, Use(state.purpose, state.algorithm), spare)
        if isinstance(state, Active | Published) and following is not None:
            _create(tx, following, state.purpose)

    done = await transact(ports, ctx, _reads(kids, spare, following), decide)
    await ports.keys.refresh()
    return done


async def _published(kids: Sequence[Kid], use: Use, ports: Ports) -> bool:
    if not kids:
        return False
    tx = await read_states(ports, _reads(kids))
    return _next(tx, kids, use) is not None


def _next(tx: Transaction, kids: Sequence[Kid], use: Use) -> Kid | None:
    """Give the key that has been published longest: the one that verifiers surely have."""
    waiting = [
        (state.published_at, kid)
        for kid in kids
        if isinstance(state := _state(tx, kid), Published) and (state.purpose, state.algorithm) == use
    ]
    return min(waiting)[1] if waiting else None


def _promote_next(tx: Transaction, kids: Sequence[Kid], use: Use, spare: NewKey | None) -> Kid:
    kid = _next(tx, kids, use)
    if kid is None:
        if spare is None:
            raise Contended
        kid = _create(tx, spare, use.purpose)
    tx.record(signing_key.decider, signing_key.stream(kid), signing_key.promote(_state(tx, kid), at=tx.at))
    return kid


def _state(tx: Transaction, kid: Kid) -> signing_key.SigningKey:
    return tx.state(signing_key.decider, signing_key.stream(kid))


def _create(tx: Transaction, key: NewKey, purpose: Purpose) -> Kid:
    state = _state(tx, key.kid)
    events = signing_key.create(state, kid=key.kid, algorithm=key.algorithm, public=key.public, purpose=purpose, at=tx.at)
    tx.record(signing_key.decider, signing_key.stream(key.kid), events)
    return key.kid


def _reads(kids: Sequence[Kid], *made: NewKey | None) -> list[Read]:
    every = (*kids, *(key.kid for key in made if key is not None))
    return [(signing_key.decider, signing_key.stream(kid)) for kid in every]
