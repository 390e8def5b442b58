"""Signing keys brought to a stage, claims to sign, and a signature turned into its twin."""

from collections.abc import Callable, Sequence
from uuid import UUID, uuid4

from adapters.keyring import Keyring
from commands.ports import AccessClaims, Commit, EventStore, NewEvent, NewKey, StreamWrite
from domain import codec, signing_key
from domain.audience import PrincipalKind
from domain.ids import CommandId, CorrelationId, EventId
from domain.signing_key import Algorithm, Purpose, SigningKey, SigningKeyEvent

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
Decision = Callable[[SigningKey], Sequence[SigningKeyEvent]]


async def append(store: EventStore, key: NewKey, *decisions: Decision) -> None:
    """Take a key's stream through decisions, one commit each."""
    stream = signing_key.stream(key.kid)
    for decide in decisions:
        [head] = (await store.load([stream])).heads
        state = codec.decode_state(signing_key.decider, head.state) if head.state else signing_key.decider.initial
        events = decide(state)
        new = tuple(NewEvent(event_id=EventId(uuid4()), type=codec.tag_of(e), payload=codec.encode_event(e), key_id=None) for e in events)
        write = StreamWrite(
            stream=stream,
            expected=head.version,
            events=new,
            state=codec.encode_state(signing_key.decider.fold(events, state)),
            state_version=signing_key.decider.state_version,
        )
        commit = Commit(
            command_id=CommandId(uuid4()),
            actor="system:test",
            session_id=None,
            correlation_id=CorrelationId(uuid4()),
            causation_id=None,
            writes=(write,),
        )
        await store.append(commit)


async def published(
    keyring: Keyring, store: EventStore, algorithm: Algorithm = Algorithm.ES256, purpose: Purpose = Purpose.ACCESS
) -> NewKey:
    key = await keyring.generate(algorithm)
    at = (await store.load([signing_key.stream(key.kid)])).at

    def create(state: SigningKey) -> Sequence[SigningKeyEvent]:
        return signing_key.create(state, kid=key.kid, algorithm=key.algorithm, public=key.public, purpose=purpose, at=at)

    await append(store, key, create)
    await keyring.refresh()
    return key


async def active(keyring: Keyring, store: EventStore, algorithm: Algorithm = Algorithm.ES256, purpose: Purpose = Purpose.ACCESS) -> NewKey:
    key = await published(keyring, store, algorithm, purpose)
    at = (await store.load([signing_key.stream(key.kid)])).at
    await append(store, key, lambda s: signing_key.promote(s, at=at))
    await keyring.refresh()
    return key


def claims(now: float, *, aud: str = "minos", ttl: int = 300) -> AccessClaims:
    return AccessClaims(
        sub=str(UUID(int=1)),
        aud=aud,
        exp=int(now) + ttl,
        iat=int(now),
        jti=str(uuid4()),
        sid=str(UUID(int=2)),
        client_id="minos",
        auth_time=int(now),
        acr="urn:minos:acr:one-factor",
        amr=("pwd",),
        scope="",
        roles=("user",),
        principal=PrincipalKind.USER,
        epoch=1,
        roles_version=1,
    )


def mirrored(signature: bytes) -> bytes:
    """Give the other ES256 signature that the same key and message have by the standard: anybody can make it, without the key."""
    return signature[:32] + (P256_ORDER - int.from_bytes(signature[32:], "big")).to_bytes(32, "big")
