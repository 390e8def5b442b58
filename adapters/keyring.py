"""Keys that sign: what their streams say of them, and their private halves from the vault. A keyring has those of one purpose."""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

import msgspec

from adapters.jwk import Signer, Verifier, from_der, generate, public_jwk, public_key, thumbprint, to_der
from adapters.signing_secrets import SigningSecrets
from commands.ports import EventStore, NewKey, StoredHead
from domain import codec, signing_key
from domain.errors import StoreUnavailable
from domain.ids import Kid
from domain.signing_key import Absent, Active, Algorithm, PublicJwk, Published, Purpose, Retiring, Revoked, SigningKey, SigningKeyEvent

FRESH_S = 2.0
"""Keys are looked up again when what is known of them is older. Strong checks read the key's head besides."""
UNKNOWN_S = 0.25
"""The same, when a token names a key that is not known: it may have been made by another process just now."""


class PrivateKeyGone(Exception):
    """The vault has no private half of the key that is to sign. Rotate the signing key."""


@dataclass(frozen=True, slots=True)
class KeySet:
    """The document for `/.well-known/jwks.json`, and a strong validator of it (RFC 9110 8.8.3)."""

    body: bytes
    etag: str


@dataclass(frozen=True, slots=True)
class _Known:
    """What one look at the streams found. `at`: seconds of the keyring's clock."""

    at: float
    states: Mapping[Kid, SigningKey]
    verifiers: Mapping[Kid, Verifier]
    key_set: KeySet
    active: Mapping[Algorithm, Kid]
    """The newest active key of each algorithm."""
    newest: Kid | None


class Keyring:
    """commands.ports.SigningKeys, and what signing, verifying and publishing need. For one event loop."""

    def __init__(
        self,
        secrets: SigningSecrets,
        store: EventStore,
        *,
        algorithm: Algorithm = Algorithm.ES256,
        purpose: Purpose = Purpose.ACCESS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`algorithm`: what is signed with where nobody asks for another. Keys of other purposes sign and verify nothing here."""
        self._secrets = secrets
        self._store = store
        self._clock = clock
        self._known: _Known | None = None
        self._look = asyncio.Lock()
        self._algorithm = algorithm
        self._purpose = purpose
        self._signers: dict[Kid, Signer] = {}

    async def generate(self, algorithm: Algorithm) -> NewKey:
        """Raises StoreUnavailable. A key kept here whose event was never appended stays Absent and signs nothing."""
        private = await asyncio.to_thread(generate, algorithm)
        public = public_jwk(private.public_key())
        kid = thumbprint(public)
        await self._secrets.keep(kid, to_der(private))
        return NewKey(kid=kid, algorithm=algorithm, public=public)

    async def kids(self) -> Sequence[Kid]:
        return await self._secrets.kids()

    async def refresh(self) -> None:
        """Look again, whatever is known. Raises StoreUnavailable."""
        async with self._look:
            self._known = await self._look_up()

    async def signer(self, algorithm: Algorithm | None = None) -> Signer:
        """Give the newest active key of an algorithm. Without one: of the settings', or of any while that has no key yet.

        Raises StoreUnavailable while there is none or it cannot be read.
        """
        known = await self._fresh(FRESH_S)
        kid = known.active.get(self._algorithm, known.newest) if algorithm is None else known.active.get(algorithm)
        if kid is None:
            raise StoreUnavailable
        signer = self._signers.get(kid)
        if signer is None:
            signer = await self._read_signer(kid, known.verifiers[kid].algorithm)
            self._signers = {known: kept for known, kept in self._signers.items() if known in self._active_kids()} | {kid: signer}
        return signer

    def _active_kids(self) -> Collection[Kid]:
        return () if self._known is None else self._known.active.values()

    async def verifier(self, kid: str) -> Verifier | None:
        """Give the key for tokens that name it; None when there is none that may still be accepted.

        An unknown name costs a look at the streams at most once in UNKNOWN_S: made-up names cannot cause a flood of them.
        """
        found = (await self._fresh(FRESH_S)).verifiers.get(Kid(kid))
        return found or (await self._fresh(UNKNOWN_S)).verifiers.get(Kid(kid))

    async def key_set(self) -> KeySet:
        """The key set as it is, or as it last was while Postgres is away. Raises StoreUnavailable if it never was there."""
        try:
            return (await self._fresh(FRESH_S)).key_set
        except StoreUnavailable:
            if self._known is None:
                raise
            return self._known.key_set

    async def _fresh(self, seconds: float) -> _Known:
        known = self._known
        if known is not None and self._clock() - known.at < seconds:
            return known
        async with self._look:
            known = self._known
            if known is None or self._clock() - known.at >= seconds:
                known = self._known = await self._look_up()
        return known

    async def _look_up(self) -> _Known:
        at = self._clock()
        kids = await self.kids()
        if not kids:
            return _Known(at, {}, {}, _key_set({}), {}, None)
        heads = await self._store.load([signing_key.stream(kid) for kid in kids])
        states = {kid: await self._state(head) for kid, head in zip(kids, heads.heads, strict=True)}
        await self._destroy_spent(states)
        usable = {kid: state for kid, state in states.items() if self._is_ours(state) and signing_key.verifies(state, at=heads.at)}
        verifiers = {kid: _verifier(kid, state) for kid, state in usable.items()}
        in_order = sorted((state for state in usable.values() if isinstance(state, Active)), key=lambda key: key.promoted_at)
        active = {state.algorithm: state.kid for state in in_order}
        newest = in_order[-1].kid if in_order else None
        return _Known(at, states, {k: v for k, v in verifiers.items() if v is not None}, _key_set(usable), active, newest)

    def _is_ours(self, state: SigningKey) -> bool:
        return isinstance(state, Published | Active | Retiring) and state.purpose is self._purpose

    async def _state(self, head: StoredHead) -> SigningKey:
        of = signing_key.decider
        if head.version == 0 or head.state is None:
            return of.initial
        if head.state_version == of.state_version:
            return codec.decode_state(of, head.state)
        stored = await self._store.read_stream(head.stream)
        if len(stored) < head.version:  # a part of it was moved away: what is left folds to something else
            raise StoreUnavailable
        events = (codec.decode_event(e.type, e.payload) for e in stored if e.version <= head.version)
        return of.fold(event for event in events if isinstance(event, SigningKeyEvent))

    async def _destroy_spent(self, states: Mapping[Kid, SigningKey]) -> None:
        """A key that will never sign again needs no private half. Done here, so that a crash after the append delays it only."""
        known = None if self._known is None else self._known.states
        spent = [k for k, s in states.items() if _is_spent(s) and not (known and _is_spent(known.get(k, Absent())))]
        if spent:
            await self._secrets.destroy(spent)

    async def _read_signer(self, kid: Kid, algorithm: Algorithm) -> Signer:
        private = await self._secrets.read(kid)
        if private is None:
            raise PrivateKeyGone(f"the private half of signing key {kid} is gone, yet it is active")
        return Signer(kid, algorithm, from_der(private))


class _Jwk(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    kid: str
    kty: str
    alg: str
    use: str
    crv: str | None = None
    x: str | None = None
    y: str | None = None
    n: str | None = None
    e: str | None = None


def _is_spent(state: SigningKey) -> bool:
    return isinstance(state, Retiring | Revoked)


def _verifier(kid: Kid, state: SigningKey) -> Verifier | None:
    known = _public(state)
    return None if known is None else Verifier(kid, known[0], public_key(known[1]))


def _public(state: SigningKey) -> tuple[Algorithm, PublicJwk] | None:
    match state:
        case Published() | Active() | Retiring():
            return state.algorithm, state.public
        case Absent() | Revoked():
            return None


def _key_set(usable: Mapping[Kid, SigningKey]) -> KeySet:
    keys = [
        _Jwk(kid=kid, kty=jwk.kty, alg=algorithm, use="sig", crv=jwk.crv, x=jwk.x, y=jwk.y, n=jwk.n, e=jwk.e)
        for kid, state in sorted(usable.items())
        if (known := _public(state)) is not None
        for algorithm, jwk in [known]
    ]
    body = msgspec.json.encode({"keys": keys})
    return KeySet(body, f'"{sha256(body).hexdigest()[:32]}"')
