"""Turn the keys that sign access tokens: the next one is always published before it signs anything."""

from collections.abc import Sequence
from datetime import timedelta

from msgspec import Struct

from commands.context import Context
from commands.ports import NewKey, Ports
from commands.transact import Done, Read, Transaction, read_states, transact
from domain import signing_key
from domain.errors import Contended, NoSuchSigningKey
from domain.ids import Kid, KidText
from domain.signing_key import Active, Algorithm, KeyRevocation, Published

LONGEST_TOKEN = 3_600 + 60
"""Seconds a token may still be good after its key stopped signing: the cap on its life, and the verifiers' leeway."""


class RotateSigningKey(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    algorithm: Algorithm = Algorithm.ES256


class RevokeSigningKey(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    kid: KidText
    reason: KeyRevocation = KeyRevocation.COMPROMISED


class Rotated(Struct, frozen=True, kw_only=True):
    active: KidText
    published: KidText
    retired: tuple[KidText, ...]


async def rotate_signing_key(command: RotateSigningKey, ctx: Context, ports: Ports) -> Done[Rotated]:
    """Promote the published key of an algorithm, retire its active one, publish the one after. The very first time there are two to make.

    Keys of other algorithms stay as they are: an audience may be signed for with each.
    Raises Contended when another rotation used up the published key meanwhile.
    """
    kids = await ports.keys.kids()
    spare = None if await _published(kids, command.algorithm, ports) else await ports.keys.generate(command.algorithm)
    following = await ports.keys.generate(command.algorithm)

    def decide(tx: Transaction) -> Rotated:
        active = tuple(kid for kid in kids if _is_active(_state(tx, kid), command.algorithm))
        promoted = _promote_next(tx, kids, command.algorithm, spare)
        for kid in active:
            until = tx.at + timedelta(seconds=LONGEST_TOKEN)
            events = signing_key.retire(_state(tx, kid), verify_until=until, at=tx.at)
            tx.record(signing_key.decider, signing_key.stream(kid), events)
        return Rotated(active=promoted, published=_create(tx, following), retired=active)

    done = await transact(ports, ctx, _reads(kids, spare, following), decide)
    await ports.keys.refresh()
    return done


async def ensure_signing_keys(algorithm: Algorithm, ctx: Context, ports: Ports) -> None:
    """Make the first pair where no key is active; for every start. Two starting at once make a pair each, which is harmless."""
    kids = await ports.keys.kids()
    tx = await read_states(ports, _reads(kids)) if kids else None
    if tx is None or not any(isinstance(_state(tx, kid), Active) for kid in kids):
        await rotate_signing_key(RotateSigningKey(algorithm=algorithm), ctx, ports)


async def ensure_signing_key(algorithm: Algorithm, ctx: Context, ports: Ports) -> None:
    """Make the first pair of an algorithm that no key is active of."""
    kids = await ports.keys.kids()
    tx = await read_states(ports, _reads(kids)) if kids else None
    if tx is None or not any(_is_active(_state(tx, kid), algorithm) for kid in kids):
        await rotate_signing_key(RotateSigningKey(algorithm=algorithm), ctx, ports)


def _is_active(state: signing_key.SigningKey, algorithm: Algorithm) -> bool:
    return isinstance(state, Active) and state.algorithm == algorithm


async def revoke_signing_key(command: RevokeSigningKey, ctx: Context, ports: Ports) -> Done[None]:
    """Withdraw a key at once; where it was the active one, the published one takes its place in the same append.

    Raises NoSuchSigningKey, Contended.
    """
    kids = await ports.keys.kids()
    if command.kid not in kids:
        raise NoSuchSigningKey
    state = _state(await read_states(ports, _reads([command.kid])), command.kid)
    algorithm = state.algorithm if isinstance(state, Active | Published) else None
    others = [kid for kid in kids if kid != command.kid]
    spare = following = None
    if algorithm is not None:
        spare = None if await _published(others, algorithm, ports) else await ports.keys.generate(algorithm)
        following = await ports.keys.generate(algorithm)

    def decide(tx: Transaction) -> None:
        state = _state(tx, command.kid)
        events = signing_key.revoke(state, reason=command.reason, at=tx.at)
        tx.record(signing_key.decider, signing_key.stream(command.kid), events)
        if isinstance(state, Active):
            _promote_next(tx, others, state.algorithm, spare)
        if isinstance(state, Active | Published) and following is not None:
            _create(tx, following)

    done = await transact(ports, ctx, _reads(kids, spare, following), decide)
    await ports.keys.refresh()
    return done


async def _published(kids: Sequence[Kid], algorithm: Algorithm, ports: Ports) -> bool:
    if not kids:
        return False
    tx = await read_states(ports, _reads(kids))
    return _next(tx, kids, algorithm) is not None


def _next(tx: Transaction, kids: Sequence[Kid], algorithm: Algorithm) -> Kid | None:
    """Give the key that has been published longest: the one that verifiers surely have."""
    waiting = [
        (state.published_at, kid) for kid in kids if isinstance(state := _state(tx, kid), Published) and state.algorithm == algorithm
    ]
    return min(waiting)[1] if waiting else None


def _promote_next(tx: Transaction, kids: Sequence[Kid], algorithm: Algorithm, spare: NewKey | None) -> Kid:
    kid = _next(tx, kids, algorithm)
    if kid is None:
        if spare is None:
            raise Contended
        kid = _create(tx, spare)
    tx.record(signing_key.decider, signing_key.stream(kid), signing_key.promote(_state(tx, kid), at=tx.at))
    return kid


def _state(tx: Transaction, kid: Kid) -> signing_key.SigningKey:
    return tx.state(signing_key.decider, signing_key.stream(kid))


def _create(tx: Transaction, key: NewKey) -> Kid:
    events = signing_key.create(_state(tx, key.kid), kid=key.kid, algorithm=key.algorithm, public=key.public, at=tx.at)
    tx.record(signing_key.decider, signing_key.stream(key.kid), events)
    return key.kid


def _reads(kids: Sequence[Kid], *made: NewKey | None) -> list[Read]:
    every = (*kids, *(key.kid for key in made if key is not None))
    return [(signing_key.decider, signing_key.stream(kid)) for kid in every]
