"""Signing keys by their stages, published, used and withdrawn (threats.md 14)."""

from collections.abc import Sequence
from datetime import timedelta

import jwt
import msgspec
import pytest
from msgspec.structs import replace

from adapters.keyring import FRESH_S, UNKNOWN_S, Keyring, PrivateKeyGone
from adapters.memory_store import MemoryEventStore
from adapters.postgres_links import Links
from adapters.signing_secrets import MemorySigningSecrets, PostgresSigningSecrets, SigningSecrets
from adapters.wrapping import CannotUnwrap, Wrapping
from commands.ports import Heads
from domain import signing_key
from domain.errors import StoreUnavailable
from domain.ids import Kid, StreamName
from domain.signing_key import Algorithm, KeyRevocation, Purpose
from tests.keys.conftest import MASTER, OTHER_MASTER, SettableClock
from tests.keys.signing import active, append, published


async def kids_in(keyring: Keyring) -> set[str]:
    return {key["kid"] for key in msgspec.json.decode((await keyring.key_set()).body)["keys"]}


async def test_no_token_is_signed_before_there_is_an_active_key(keyring: Keyring, store: MemoryEventStore) -> None:
    await published(keyring, store)
    with pytest.raises(StoreUnavailable):
        await keyring.signer()


async def test_a_kept_key_that_no_event_names_is_published_nowhere(keyring: Keyring) -> None:
    key = await keyring.generate(Algorithm.ES256)
    await keyring.refresh()
    assert await keyring.kids() == [key.kid]
    assert await kids_in(keyring) == set()
    assert await keyring.verifier(key.kid) is None


async def test_the_next_key_is_published_ahead_of_use(keyring: Keyring, store: MemoryEventStore) -> None:
    first, following = await active(keyring, store), await published(keyring, store)
    assert await kids_in(keyring) == {first.kid, following.kid}
    assert (await keyring.signer()).kid == first.kid


async def test_the_newest_active_key_signs(keyring: Keyring, store: MemoryEventStore, clock: SettableClock) -> None:
    await active(keyring, store)
    clock.pass_by(60)
    second = await active(keyring, store)
    assert (await keyring.signer()).kid == second.kid


async def test_a_retiring_key_verifies_until_its_last_token_is_gone(
    keyring: Keyring, store: MemoryEventStore, clock: SettableClock
) -> None:
    key = await active(keyring, store)
    until = clock() + timedelta(seconds=600)
    await append(store, key, lambda s: signing_key.retire(s, verify_until=until, at=clock()))
    await keyring.refresh()
    assert await keyring.verifier(key.kid) is not None
    clock.pass_by(601)
    assert await keyring.verifier(key.kid) is None
    assert await kids_in(keyring) == set()


async def test_a_revoked_key_is_gone_at_once(keyring: Keyring, store: MemoryEventStore, clock: SettableClock) -> None:
    key = await active(keyring, store)
    await append(store, key, lambda s: signing_key.revoke(s, reason=KeyRevocation.COMPROMISED, at=clock()))
    await keyring.refresh()
    assert await keyring.verifier(key.kid) is None
    assert await kids_in(keyring) == set()
    with pytest.raises(StoreUnavailable):
        await keyring.signer()


async def test_a_key_that_will_sign_no_more_loses_its_private_half(
    signing_secrets: SigningSecrets, store: MemoryEventStore, clock: SettableClock
) -> None:
    keyring = Keyring(signing_secrets, store, clock=clock.monotonic)
    spent, kept = await active(keyring, store), await active(keyring, store)
    await append(store, spent, lambda s: signing_key.retire(s, verify_until=clock() + timedelta(hours=1), at=clock()))
    await keyring.refresh()
    assert await signing_secrets.read(spent.kid) is None
    assert await signing_secrets.read(kept.kid) is not None
    assert set(await signing_secrets.kids()) == {spent.kid, kept.kid}


async def test_a_change_made_elsewhere_is_seen_within_seconds(keyring: Keyring, store: MemoryEventStore, clock: SettableClock) -> None:
    key = await active(keyring, store)
    await append(store, key, lambda s: signing_key.revoke(s, reason=KeyRevocation.COMPROMISED, at=clock()))
    clock.pass_by(FRESH_S)
    assert await keyring.verifier(key.kid) is None


async def test_a_key_made_elsewhere_just_now_is_known(store: MemoryEventStore, clock: SettableClock) -> None:
    secrets = MemorySigningSecrets()
    here, elsewhere = (Keyring(secrets, store, clock=clock.monotonic) for _ in range(2))
    await here.refresh()
    key = await active(elsewhere, store)
    clock.pass_by(UNKNOWN_S)
    assert await here.verifier(key.kid) is not None


class CountedLoads(MemoryEventStore):
    """The memory store, counting how often it is asked."""

    loads = 0

    async def load(self, streams: Sequence[StreamName]) -> Heads:
        self.loads += 1
        return await super().load(streams)


async def test_made_up_kids_do_not_cause_a_flood_of_look_ups(clock: SettableClock) -> None:
    store = CountedLoads(clock)
    keyring = Keyring(MemorySigningSecrets(), store, clock=clock.monotonic)
    await active(keyring, store)
    before = store.loads
    for n in range(1_000):
        assert await keyring.verifier(f"{n:043}") is None
    assert store.loads == before


@pytest.mark.parametrize("algorithm", list(Algorithm))
async def test_the_key_set_is_what_pyjwt_expects(keyring: Keyring, store: MemoryEventStore, algorithm: Algorithm) -> None:
    key = await active(keyring, store, algorithm)
    [read] = jwt.PyJWKSet.from_json((await keyring.key_set()).body.decode()).keys
    assert (read.key_id, read.algorithm_name, read.public_key_use) == (key.kid, algorithm, "sig")


async def test_the_key_set_holds_no_private_member(keyring: Keyring, store: MemoryEventStore) -> None:
    for algorithm in Algorithm:
        await active(keyring, store, algorithm)
    members = {name for key in msgspec.json.decode((await keyring.key_set()).body)["keys"] for name in key}
    assert members == {"kid", "kty", "alg", "use", "crv", "x", "y", "n", "e"}


async def test_the_etag_changes_with_the_keys_and_only_then(keyring: Keyring, store: MemoryEventStore, clock: SettableClock) -> None:
    await active(keyring, store)
    before = (await keyring.key_set()).etag
    clock.pass_by(60)
    same = (await keyring.key_set()).etag
    await published(keyring, store)
    assert before == same != (await keyring.key_set()).etag


async def test_the_key_set_is_served_while_the_store_is_away(store: MemoryEventStore, clock: SettableClock) -> None:
    secrets = Unreachable()
    keyring = Keyring(secrets, store, clock=clock.monotonic)
    key = await active(keyring, store)
    secrets.away = True
    clock.pass_by(3_600)
    assert await kids_in(keyring) == {key.kid}
    with pytest.raises(StoreUnavailable):
        await keyring.verifier(key.kid)


class Unreachable(MemorySigningSecrets):
    away = False

    async def kids(self) -> Sequence[Kid]:
        if self.away:
            raise StoreUnavailable
        return await super().kids()


async def test_private_keys_lie_wrapped(links: Links, wrapping: Wrapping, store: MemoryEventStore) -> None:
    secrets = PostgresSigningSecrets(links, wrapping)
    key = await active(Keyring(secrets, store), store)
    private = await secrets.read(key.kid)
    [(box,)] = await links.read("SELECT wrapped FROM vault.signing_secrets")
    assert private is not None
    assert private not in box
    with pytest.raises(CannotUnwrap):
        await PostgresSigningSecrets(links, Wrapping([OTHER_MASTER])).read(key.kid)
    assert await PostgresSigningSecrets(links, Wrapping([OTHER_MASTER, MASTER])).read(key.kid) == private


async def test_keeping_a_key_twice_keeps_the_first(signing_secrets: SigningSecrets) -> None:
    kid = (await Keyring(signing_secrets, MemoryEventStore()).generate(Algorithm.EDDSA)).kid
    private = await signing_secrets.read(kid)
    await signing_secrets.keep(kid, b"another")
    assert await signing_secrets.read(kid) == private


async def test_a_head_written_by_another_release_is_folded_from_its_events(store: MemoryEventStore, clock: SettableClock) -> None:
    secrets = MemorySigningSecrets()
    key = await active(Keyring(secrets, store, clock=clock.monotonic), store)
    older = OlderHeads(clock)
    older.__dict__.update(store.__dict__)
    assert (await Keyring(secrets, older, clock=clock.monotonic).signer()).kid == key.kid


class OlderHeads(MemoryEventStore):
    async def load(self, streams: Sequence[StreamName]) -> Heads:
        found = await super().load(streams)
        return replace(found, heads=tuple(replace(head, state_version=0, state=b"unreadable") for head in found.heads))


async def test_an_active_key_without_its_private_half_is_told_to_the_operator(
    signing_secrets: SigningSecrets, store: MemoryEventStore, clock: SettableClock
) -> None:
    keyring = Keyring(signing_secrets, store, clock=clock.monotonic)
    key = await active(keyring, store)
    await signing_secrets.destroy([key.kid])
    with pytest.raises(PrivateKeyGone):
        await keyring.signer()


async def test_what_the_settings_name_signs_once_it_has_a_key(store: MemoryEventStore) -> None:
    """Until then the newest of any does: a new algorithm in the settings stops no sign-in."""
    keyring = Keyring(MemorySigningSecrets(), store, algorithm=Algorithm.EDDSA)
    first = await active(keyring, store, Algorithm.ES256)
    assert (await keyring.signer()).kid == first.kid
    wanted = await active(keyring, store, Algorithm.EDDSA)
    await active(keyring, store, Algorithm.ES256)
    assert (await keyring.signer()).kid == wanted.kid


async def test_an_algorithm_without_a_key_signs_nothing(store: MemoryEventStore) -> None:
    keyring = Keyring(MemorySigningSecrets(), store)
    await active(keyring, store, Algorithm.ES256)
    with pytest.raises(StoreUnavailable):
        await keyring.signer(Algorithm.RS256)


async def test_each_purpose_signs_and_publishes_with_keys_of_its_own(store: MemoryEventStore, clock: SettableClock) -> None:
    secrets = MemorySigningSecrets()
    rings = {purpose: Keyring(secrets, store, purpose=purpose, clock=clock.monotonic) for purpose in Purpose}
    keys = {purpose: await active(ring, store, purpose=purpose) for purpose, ring in rings.items()}
    for purpose, ring in rings.items():
        await ring.refresh()
        assert (await ring.signer()).kid == keys[purpose].kid
        assert await kids_in(ring) == {keys[purpose].kid}
        assert [other for other, key in keys.items() if await ring.verifier(key.kid) is not None] == [purpose]
