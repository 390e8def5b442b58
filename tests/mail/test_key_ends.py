"""API keys that end soon: said once before each end, in the log and to the person whose key it is."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import asyncpg

from commands.transact import Read, Transaction, read_states, transact
from domain import api_key, user
from domain.api_key import KeyDigest, KeyRevocation
from domain.event import SealClass
from domain.ids import ClientId, KeyId, UserId
from domain.permission import Permission
from domain.session import MINOS
from projections.api_keys import ending
from projections.reading import ReadModels
from tests.domain.examples import DIGEST
from tests.mail.conftest import ANYBODY, Office
from tests.mail.test_deleted_accounts import projected
from workers.timekeeper import Timekeeper

SECRET, NEXT = (KeyDigest(digest=DIGEST, key_version=each) for each in (1, 2))
SERVICE = ClientId("client_reporter")
ENDS_SOON = "An API key of your minos account ends soon"


async def made(office: Office, owner: UserId | ClientId, *, days_ago: float, ends_in_days: float) -> KeyId:
    """As the command does, at another time."""
    key_id, person = KeyId(office.ports.random.uuid7()), None if isinstance(owner, str) else owner
    stream = api_key.stream(key_id)
    subject = stream if person is None else user.stream(person)
    sealed = await office.ports.vault.seal(subject=subject, seal_class=SealClass.PROFILE, stream=stream, fields={"name": "laptop"})

    def decide(tx: Transaction) -> None:
        events = api_key.make(
            tx.state(api_key.decider, stream), key_id=key_id, user_id=person, client_id=owner if isinstance(owner, str) else None,
            name=sealed["name"], audience=MINOS, permissions=[Permission("a.b")], secret=SECRET,
            ttl=int(86_400 * (days_ago + ends_in_days)), at=tx.at - timedelta(days=days_ago),
        )  # fmt: skip
        tx.record(api_key.decider, stream, events)

    await transact(office.ports, ANYBODY, [(api_key.decider, stream)], decide)
    return key_id


async def changed(office: Office, key_id: KeyId, *, revoke: bool = False) -> None:
    stream = api_key.stream(key_id)

    def decide(tx: Transaction) -> None:
        state = tx.state(api_key.decider, stream)
        tx.record(
            api_key.decider,
            stream,
            api_key.revoke(state, reason=KeyRevocation.BY_OWNER, at=tx.at)
            if revoke
            else api_key.rotate(state, secret=NEXT, overlap=0, ttl=30 * 86_400, at=tx.at),
        )

    await transact(office.ports, ANYBODY, [(api_key.decider, stream)], decide)


async def now(office: Office, key_id: KeyId) -> api_key.ApiKey:
    read: Read = (api_key.decider, api_key.stream(key_id))
    state: api_key.ApiKey = (await read_states(office.ports, [read])).state(*read)
    return state


async def told(office: Office) -> list[str]:
    rows = await office.owner.fetch("SELECT stream FROM events WHERE type = 'api_key.expires_soon.v1' ORDER BY stream")
    return [row["stream"] for row in rows]


async def still_to_be_told(office: Office) -> Sequence[KeyId]:
    async with asyncpg.create_pool(office.database.app_url, min_size=0, max_size=1) as pool:
        return await ending(ReadModels(pool), 50)


async def test_whose_key_ends_soon_gets_one_mail_before_that(office: Office) -> None:
    ada = await office.known()
    soon, of_service = await made(office, ada, days_ago=80, ends_in_days=10), await made(office, SERVICE, days_ago=80, ends_in_days=10)
    await made(office, ada, days_ago=80, ends_in_days=15)
    await made(office, ada, days_ago=1, ends_in_days=9)
    gone = await made(office, ada, days_ago=80, ends_in_days=10)
    await changed(office, gone, revoke=True)
    keeper = Timekeeper(office.settings)
    await projected(office)
    assert set(await still_to_be_told(office)) == {soon, of_service}
    counts = []
    for _ in range(2):
        counts.append(await keeper.step())
        await projected(office)
    assert counts == [2, 0]
    assert await still_to_be_told(office) == []
    assert await told(office) == sorted(map(api_key.stream, (soon, of_service)))
    await office.work()
    await office.work()
    assert office.subjects().count(ENDS_SOON) == 1
    text = office.text(office.subjects().index(ENDS_SOON))
    assert str(soon) in text
    at: datetime = await office.owner.fetchval("SELECT clock_timestamp() + interval '10 days'")
    assert f"{at:%Y-%m-%d}" in text


async def test_no_mail_says_that_a_key_ends_which_was_rotated_meanwhile_and_its_next_end_is_told_again(office: Office) -> None:
    ada = await office.known()
    key_id = await made(office, ada, days_ago=80, ends_in_days=10)
    await projected(office)
    assert await Timekeeper(office.settings).step() == 1
    await changed(office, key_id)
    await office.work()
    assert ENDS_SOON not in office.subjects()
    [next_end] = [state for state in [await now(office, key_id)] if isinstance(state, api_key.Live)]
    assert api_key.tell_of_end(next_end, at=next_end.expires_at - timedelta(days=7)) == []
    assert len(api_key.tell_of_end(next_end, at=next_end.expires_at - timedelta(days=6))) == 1
