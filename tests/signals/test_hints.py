"""The hint: signed, after the commit and never before, nobody's error, and dispensable."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from msgspec.structs import replace
from nats.aio.client import Client

from adapters.signal_sets import SignalSigner
from api.signal_hints import MOST_AT_ONCE, SignalHints
from api.watched_store import WatchedStore
from commands.ports import AppendResult, Commit
from domain import session
from domain.session_events import EndReason, SessionRevoked
from tests.projections.histories import issued
from tests.signals.author import now
from tests.signals.conftest import Feed
from tests.signals.one_key import ISSUER
from tests.signals.subscriber import Subscriber, until


@pytest.fixture
async def hints(feed: Feed) -> AsyncIterator[SignalHints]:
    async with asyncpg.create_pool(feed.database.app_url, min_size=0, max_size=1) as pool:
        made = SignalHints(feed.client, SignalSigner(feed.keyring, ISSUER), pool)
        running = asyncio.create_task(made.run())
        try:
            yield made
        finally:
            running.cancel()
            await made.close()


@pytest.fixture
async def subscriber(feed: Feed) -> Subscriber:
    subscriber = feed.subscriber()
    await subscriber.listen()
    return subscriber


async def revoked(feed: Feed) -> tuple[str, Commit]:
    ada = await feed.author.user()
    session_id = await feed.author.session(ada)
    return f"session:{session_id}", await feed.author.revoke(session_id, ada)


async def test_a_hint_states_the_same_fact_under_the_same_id_as_the_durable_way(
    feed: Feed, hints: SignalHints, subscriber: Subscriber
) -> None:
    name, commit = await revoked(feed)
    said: list[object] = []
    subscriber._merge = said.append  # type: ignore[method-assign, assignment]
    hints.tell(commit)
    await until(subscriber, lambda: len(said) == 1)
    await feed.tell(feed.signaller())
    await until(subscriber, lambda: len(said) == 2)
    hint, durable = said
    assert isinstance(hint, dict)
    assert isinstance(durable, dict)
    assert "feed" not in hint
    assert hint["minos"]["id"] == name.removeprefix("session:")
    assert {key: value for key, value in hint.items() if key not in ("iat", "minos")} == {
        key: value for key, value in durable.items() if key not in ("iat", "minos", "feed")
    }
    assert {**hint["minos"], "until": 0} == {**durable["minos"], "until": 0}


async def test_a_user_s_hint_carries_the_epoch_that_was_committed(feed: Feed, hints: SignalHints, subscriber: Subscriber) -> None:
    ada = await feed.author.user()
    hints.tell(await feed.author.sign_out(ada))
    hints.tell(await feed.author.suspend(ada))
    await until(subscriber, lambda: subscriber.hints == 2)
    assert subscriber.facts[f"user:{ada}"]["epoch"] == 3


async def test_roles_are_hinted_to_every_audience_for_people(feed: Feed, hints: SignalHints) -> None:
    await feed.author.audience("shop")
    await feed.author.audience("machines", people=False)
    await feed.tell(feed.signaller())
    running = asyncio.create_task(hints.run())
    ears = [feed.subscriber("roles.shop"), feed.subscriber("roles.machines")]
    for each in ears:
        await each.listen()
    async with asyncio.timeout(5):
        while not hints._told.audiences:
            await asyncio.sleep(0.01)
    ada = await feed.author.user("user", "editor")
    hints.tell(await feed.author.take(ada, "editor"))
    await until(ears[0], lambda: f"roles:shop:{ada}" in ears[0].facts)
    assert ears[0].facts[f"roles:shop:{ada}"]["roles"] == ["user"]
    assert not ears[1].facts
    running.cancel()


async def test_nothing_is_hinted_of_what_was_not_committed(feed: Feed, subscriber: Subscriber) -> None:
    told: list[Commit] = []
    store = WatchedStore(feed.store, told.append)
    ada = await feed.author.user()
    session_id = await feed.author.session(ada)
    stream = session.stream(session_id)
    event = SessionRevoked(session_id=session_id, user_id=ada, reason=EndReason.LOGOUT, at=now())
    feed.author.versions[stream] = 1
    late = feed.author.commit(session.decider, stream, event)
    assert (await store.append(late)).result is AppendResult.LOST_RACE
    assert not told


async def test_what_signals_nothing_costs_nothing(feed: Feed, hints: SignalHints) -> None:
    ada = await feed.author.user()
    session_id = await feed.author.session(ada)
    hints.tell(await feed.author.write(session.decider, session.stream(session_id), issued(session_id, ada, 2)))
    assert not hints._telling


async def test_hints_are_dropped_where_there_are_too_many_and_where_nats_is_away(feed: Feed, hints: SignalHints) -> None:
    _, commit = await revoked(feed)
    for _ in range(MOST_AT_ONCE + 50):
        hints.tell(commit)
    assert len(hints._telling) == MOST_AT_ONCE
    away = SignalHints(Client(), SignalSigner(feed.keyring, ISSUER), hints._pool)
    away.tell(commit)
    assert not away._telling


async def test_a_change_that_the_commit_does_not_tell_all_of_is_left_to_the_durable_way(feed: Feed, hints: SignalHints) -> None:
    """A factor's stream does not say which epoch its user is at."""
    from domain import factors
    from domain.factor_events import FactorKind, FactorRemoved, WhyRemoved
    from tests.domain.examples import FACTOR

    ada = await feed.author.user()
    removed = FactorRemoved(user_id=ada, factor_id=FACTOR, kind=FactorKind.TOTP, why=WhyRemoved.SELF, at=now())
    subscriber = feed.subscriber()
    await subscriber.listen()
    hints.tell(await feed.author.write(factors.decider, factors.stream(ada), removed))
    await feed.tell(feed.signaller())
    await until(subscriber, lambda: f"user:{ada}" in subscriber.facts)
    assert subscriber.hints == 0


async def test_a_hint_that_cannot_be_made_is_nobodys_error(feed: Feed, hints: SignalHints, subscriber: Subscriber) -> None:
    _, commit = await revoked(feed)
    [write] = commit.writes
    [event] = write.events
    hints.tell(replace(commit, writes=(replace(write, events=(replace(event, payload=b"{}"),)),)))
    name, good = await revoked(feed)
    hints.tell(good)
    await until(subscriber, lambda: name in subscriber.facts)
    assert subscriber.hints == 1
