"""The service's own keys: made once, wrapped, independent of the master key (threats.md 11)."""

import asyncio

import asyncpg
import pytest

from adapters.postgres_links import Links
from adapters.secrets_store import SETTLED_S, Purpose, SecretsStore, has_keys
from adapters.wrapping import CannotUnwrap, Wrapping
from tests.keys.conftest import MASTER, OTHER_MASTER


async def keys_of(links: Links, wrapping: Wrapping) -> dict[Purpose, bytes]:
    secrets = await SecretsStore(links, wrapping).open()
    return {purpose: secrets.of(purpose).key for purpose in Purpose}


async def test_every_purpose_has_a_key_of_its_own(links: Links, wrapping: Wrapping) -> None:
    assert len(set((await keys_of(links, wrapping)).values())) == len(Purpose)


async def test_keys_are_found_again(links: Links, wrapping: Wrapping) -> None:
    assert await keys_of(links, wrapping) == await keys_of(links, wrapping)


async def test_processes_that_start_at_once_end_with_the_same_keys(links: Links, wrapping: Wrapping) -> None:
    first, *others = await asyncio.gather(*(keys_of(links, wrapping) for _ in range(8)))
    assert all(other == first for other in others)


async def test_keys_lie_wrapped(links: Links, wrapping: Wrapping) -> None:
    keys = await keys_of(links, wrapping)
    boxes = [row[0] for row in await links.read("SELECT wrapped FROM vault.secrets")]
    assert not any(key in box for key in keys.values() for box in boxes)


async def test_threat_11_the_master_key_changes_without_any_key_changing(links: Links) -> None:
    before = await keys_of(links, Wrapping([MASTER]))
    assert await keys_of(links, Wrapping([OTHER_MASTER, MASTER])) == before


async def test_another_master_key_does_not_open_them(links: Links) -> None:
    await keys_of(links, Wrapping([MASTER]))
    with pytest.raises(CannotUnwrap) as refused:
        await keys_of(links, Wrapping([OTHER_MASTER]))
    assert f"wrapped by master key {MASTER.kek_id}, which is not configured" in str(refused.value)
    assert f"{OTHER_MASTER.origin} holds {OTHER_MASTER.kek_id}" in str(refused.value)


async def test_it_is_known_whether_a_database_has_keys_yet(
    links: Links, owner: "asyncpg.Connection[asyncpg.Record]", wrapping: Wrapping
) -> None:
    assert not await has_keys(owner)
    await keys_of(links, wrapping)
    assert await has_keys(owner)


async def test_a_wrapped_key_put_in_another_purposes_row_does_not_unwrap(
    links: Links, owner: "asyncpg.Connection[asyncpg.Record]", wrapping: Wrapping
) -> None:
    await keys_of(links, wrapping)
    await owner.execute(
        "UPDATE vault.secrets SET wrapped = (SELECT wrapped FROM vault.secrets WHERE purpose = 'cursor') WHERE purpose = 'refresh'"
    )
    with pytest.raises(CannotUnwrap):
        await keys_of(links, wrapping)


async def test_a_new_version_checks_at_once_and_makes_only_when_all_processes_have_it(
    links: Links, owner: "asyncpg.Connection[asyncpg.Record]", wrapping: Wrapping
) -> None:
    store = SecretsStore(links, wrapping)
    secrets = await store.open()
    assert await store.rotate(Purpose.REFRESH) == 2
    assert sorted(secrets.of(Purpose.REFRESH).keys) == [1, 2]
    assert secrets.of(Purpose.REFRESH).current == 1
    await owner.execute("UPDATE vault.secrets SET created_at = created_at - $1 * interval '1 second'", SETTLED_S)
    await store.refresh()
    assert secrets.of(Purpose.REFRESH).current == 2


async def test_purposes_of_a_newer_release_are_left_alone(links: Links, wrapping: Wrapping) -> None:
    wrapped = wrapping.wrap("secret/later/1", b"k")
    await links.run(
        "INSERT INTO vault.secrets (purpose, version, wrapped, kek_id) VALUES ('later', 1, $1, $2)", wrapped.box, wrapped.kek_id
    )
    assert len(await keys_of(links, wrapping)) == len(Purpose)
