"""Subject keys and what they protect: one suite for every vault, then what only Postgres can get wrong."""

import asyncio

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from adapters.memory_vault import MemoryVault
from adapters.postgres_links import Links
from adapters.sealing import SealBroken
from adapters.vault import CACHED_S, PostgresVault
from adapters.wrapping import CannotUnwrap, Wrapping
from commands.ports import Vault
from domain.event import Erased, SealClass, Sealed
from domain.ids import StreamName
from tests.keys.conftest import MASTER, OTHER_MASTER, SettableClock, VaultUnderTest

ADA = StreamName("user-ada")
BOB = StreamName("user-bob")


async def seal(vault: Vault, text: str, *, of: StreamName = ADA, kind: SealClass = SealClass.PROFILE, fresh: bool = False) -> Sealed:
    return (await vault.seal(subject=of, seal_class=kind, stream=of, fields={"email": text}, fresh=fresh))["email"]


async def test_what_was_sealed_opens(a_vault: VaultUnderTest) -> None:
    sealed = await seal(a_vault.vault, "ada@example.org")
    assert await a_vault.vault.open(sealed, stream=ADA, field="email") == "ada@example.org"


async def test_many_fields_share_one_key_and_no_nonce(a_vault: VaultUnderTest) -> None:
    fields = {"email": "same", "name": "same", "username": "same"}
    sealed = await a_vault.vault.seal(subject=ADA, seal_class=SealClass.PROFILE, stream=ADA, fields=fields)
    assert len({s.key_id for s in sealed.values()}) == 1
    assert len({s.box[:12] for s in sealed.values()}) == 3


async def test_nothing_to_seal_makes_no_key(postgres_vault: VaultUnderTest, links: Links) -> None:
    assert await postgres_vault.vault.seal(subject=ADA, seal_class=SealClass.PROFILE, stream=ADA, fields={}) == {}
    assert await links.read("SELECT 1 FROM vault.subject_keys") == []


async def test_a_subject_keeps_its_key_per_class(a_vault: VaultUnderTest) -> None:
    first, second = await seal(a_vault.vault, "a"), await seal(a_vault.vault, "b")
    telemetry = await seal(a_vault.vault, "c", kind=SealClass.TELEMETRY)
    somebody_elses = await seal(a_vault.vault, "d", of=BOB)
    assert first.key_id == second.key_id
    assert len({first.key_id, telemetry.key_id, somebody_elses.key_id}) == 3


async def test_each_password_has_a_key_of_its_own(a_vault: VaultUnderTest) -> None:
    old = await seal(a_vault.vault, "old hash", kind=SealClass.CREDENTIAL, fresh=True)
    new = await seal(a_vault.vault, "new hash", kind=SealClass.CREDENTIAL, fresh=True)
    await a_vault.destroy(old.key_id)
    assert await a_vault.vault.open(old, stream=ADA, field="email") == Erased()
    assert await a_vault.vault.open(new, stream=ADA, field="email") == "new hash"


async def test_a_destroyed_key_opens_to_erased_and_never_to_an_error(a_vault: VaultUnderTest) -> None:
    sealed = await seal(a_vault.vault, "ada@example.org")
    await a_vault.destroy(sealed.key_id)
    assert await a_vault.vault.open(sealed, stream=ADA, field="email") == Erased()
    assert await a_vault.vault.open(replace(sealed, box=b""), stream=ADA, field="email") == Erased()


async def test_threat_12_a_credential_is_revealed_to_nobody(a_vault: VaultUnderTest) -> None:
    password, name = await seal(a_vault.vault, "hash", kind=SealClass.CREDENTIAL), await seal(a_vault.vault, "Ada")
    agent = await seal(a_vault.vault, "browser", kind=SealClass.TELEMETRY)
    for _ in range(2):  # also where its key was just read
        await a_vault.vault.open(password, stream=ADA, field="email")
        assert await a_vault.vault.reveal(password, stream=ADA, field="email") == password
    assert await a_vault.vault.reveal(name, stream=ADA, field="email") == "Ada"
    assert await a_vault.vault.reveal(agent, stream=ADA, field="email") == "browser"
    await a_vault.destroy(name.key_id)
    await a_vault.destroy(password.key_id)
    assert await a_vault.vault.reveal(name, stream=ADA, field="email") == Erased()
    assert await a_vault.vault.reveal(password, stream=ADA, field="email") == Erased()


@pytest.mark.parametrize(("stream", "field"), [(BOB, "email"), (ADA, "name"), (StreamName("user-adaemail"), "")])
async def test_a_field_carried_elsewhere_does_not_open(a_vault: VaultUnderTest, stream: StreamName, field: str) -> None:
    sealed = await seal(a_vault.vault, "ada@example.org")
    with pytest.raises(SealBroken):
        await a_vault.vault.open(sealed, stream=stream, field=field)


async def test_no_byte_of_a_sealed_field_can_be_changed(a_vault: VaultUnderTest) -> None:
    sealed = await seal(a_vault.vault, "ada@example.org")
    for place in range(len(sealed.box)):
        box = bytearray(sealed.box)
        box[place] ^= 1
        with pytest.raises(SealBroken):
            await a_vault.vault.open(replace(sealed, box=bytes(box)), stream=ADA, field="email")


async def test_a_box_cut_short_does_not_open(a_vault: VaultUnderTest) -> None:
    sealed = await seal(a_vault.vault, "ada@example.org")
    for length in (0, 5, 12, 20, len(sealed.box) - 1):
        with pytest.raises(SealBroken):
            await a_vault.vault.open(replace(sealed, box=sealed.box[:length]), stream=ADA, field="email")


_loop_free = MemoryVault()


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text("abcz_", min_size=1))
def test_any_text_comes_back_as_it_was(text: str, field: str) -> None:
    async def there_and_back() -> str | Erased:
        sealed = await _loop_free.seal(subject=ADA, seal_class=SealClass.PROFILE, stream=ADA, fields={field: text})
        return await _loop_free.open(sealed[field], stream=ADA, field=field)

    coroutine = there_and_back()
    with pytest.raises(StopIteration) as done:  # nothing in it waits, so it runs to its end without a loop
        coroutine.send(None)
    assert done.value.value == text


async def test_two_processes_making_the_first_key_at_once_use_the_same(links: Links, wrapping: Wrapping) -> None:
    processes = [PostgresVault(links, wrapping) for _ in range(8)]
    sealed = await asyncio.gather(*(seal(vault, "x") for vault in processes))
    assert len({s.key_id for s in sealed}) == 1


async def test_fresh_keys_made_at_once_are_all_different(links: Links, wrapping: Wrapping) -> None:
    processes = [PostgresVault(links, wrapping) for _ in range(8)]
    sealed = await asyncio.gather(*(seal(vault, "x", fresh=True) for vault in processes))
    assert len({s.key_id for s in sealed}) == 8


async def test_another_process_opens_what_this_one_sealed(links: Links, wrapping: Wrapping) -> None:
    sealed = await seal(PostgresVault(links, wrapping), "ada@example.org")
    assert await PostgresVault(links, wrapping).open(sealed, stream=ADA, field="email") == "ada@example.org"


async def test_many_fields_of_many_people_open_in_one_statement(links: Links, wrapping: Wrapping) -> None:
    people = [StreamName(f"user-{n}") for n in range(20)]
    sealed = [await seal(PostgresVault(links, wrapping), str(person), of=person) for person in people]
    opened = await PostgresVault(links, wrapping).open_many([(s, person, "email") for s, person in zip(sealed, people, strict=True)])
    assert opened == people


async def test_a_key_destroyed_elsewhere_is_forgotten_within_a_minute(
    links: Links, owner: "asyncpg.Connection[asyncpg.Record]", wrapping: Wrapping, clock: SettableClock
) -> None:
    vault = PostgresVault(links, wrapping, clock=clock.monotonic)
    sealed = await seal(vault, "ada@example.org")
    await owner.execute("DELETE FROM vault.subject_keys")
    clock.pass_by(CACHED_S)
    assert await vault.open(sealed, stream=ADA, field="email") == Erased()


async def test_a_credential_destroyed_elsewhere_is_gone_at_once(
    links: Links, owner: "asyncpg.Connection[asyncpg.Record]", wrapping: Wrapping
) -> None:
    vault = PostgresVault(links, wrapping)
    sealed = await seal(vault, "hash", kind=SealClass.CREDENTIAL, fresh=True)
    await vault.open(sealed, stream=ADA, field="email")
    await owner.execute("DELETE FROM vault.subject_keys")
    assert await vault.open(sealed, stream=ADA, field="email") == Erased()


async def test_threat_11_the_master_key_changes_without_a_field_changing(links: Links) -> None:
    sealed = await seal(PostgresVault(links, Wrapping([MASTER])), "ada@example.org")
    both = PostgresVault(links, Wrapping([OTHER_MASTER, MASTER]))
    assert await both.open(sealed, stream=ADA, field="email") == "ada@example.org"
    newer = await seal(both, "bob@example.org", of=BOB)
    assert await PostgresVault(links, Wrapping([OTHER_MASTER])).open(newer, stream=BOB, field="email") == "bob@example.org"


async def test_a_missing_master_key_is_an_error_and_not_an_erasure(links: Links) -> None:
    sealed = await seal(PostgresVault(links, Wrapping([MASTER])), "ada@example.org")
    with pytest.raises(CannotUnwrap):
        await PostgresVault(links, Wrapping([OTHER_MASTER])).open(sealed, stream=ADA, field="email")


async def test_a_wrapped_key_put_in_anothers_row_does_not_unwrap(
    links: Links, owner: "asyncpg.Connection[asyncpg.Record]", wrapping: Wrapping
) -> None:
    of_ada = await seal(PostgresVault(links, wrapping), "a")
    of_bob = await seal(PostgresVault(links, wrapping), "b", of=BOB)
    await owner.execute(
        "UPDATE vault.subject_keys SET wrapped = (SELECT wrapped FROM vault.subject_keys WHERE key_id = $1) WHERE key_id = $2",
        of_ada.key_id,
        of_bob.key_id,
    )
    with pytest.raises(CannotUnwrap):
        await PostgresVault(links, wrapping).open(of_bob, stream=BOB, field="email")


async def test_no_key_lies_in_the_database_in_clear(links: Links, wrapping: Wrapping) -> None:
    await seal(PostgresVault(links, wrapping), "ada@example.org")
    [(box, kek_id)] = await links.read("SELECT wrapped, kek_id FROM vault.subject_keys")
    assert len(box) == 12 + 32 + 16
    assert kek_id == MASTER.kek_id
    assert MASTER.key not in box
