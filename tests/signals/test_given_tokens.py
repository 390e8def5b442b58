"""A service token lives for weeks: what its audience refuses meanwhile is told token by token, as soon as Minos itself refuses it."""

from pathlib import Path

import pytest

import migrations
from domain.audience import PrincipalKind, Rules
from domain.ids import ClientId, TokenId
from domain.permission import Permission
from tests.signals.conftest import Feed

READ, WRITE = Permission("shop.read"), Permission("shop.write")
CLOSED = Rules(principals=(PrincipalKind.USER,))


async def dead(feed: Feed) -> set[TokenId]:
    return {TokenId(fact["id"]) for fact in (await feed.rows()).values() if fact["kind"] == "token"}


def as_ids(tokens: set[TokenId]) -> set[str]:
    return {str(token) for token in tokens}


async def kept(feed: Feed) -> set[TokenId]:
    return {TokenId(row["token_id"]) for row in await feed.query("SELECT token_id FROM live_service_tokens")}


async def test_attack_a_token_of_weeks_outlives_what_its_audience_has_come_to(feed: Feed) -> None:
    author, signaller = feed.author, feed.signaller()
    for name in ("retired", "closed", "narrowed", "poorer", "wider"):
        await author.audience(name, READ, WRITE)
    over = {await author.give_token(name, "reporter", READ) for name in ("retired", "closed", "narrowed")}
    over.add(await author.give_token("poorer", "reporter", READ, WRITE))
    good = {await author.give_token("narrowed", "exporter", READ), await author.give_token("poorer", "reporter", READ)}
    good.add(await author.give_token("wider", "reporter", READ))
    await feed.tell(signaller)
    assert await dead(feed) == set()
    await author.retire_audience("retired")
    await author.rule("closed", CLOSED)
    await author.rule("narrowed", Rules(permissions=(READ, WRITE), clients=(ClientId("exporter"),)))
    await author.rule("poorer", Rules(permissions=(READ,)))
    await author.rule("wider", Rules(permissions=(READ, WRITE, Permission("shop.more")), access_token_ttl=30))
    await feed.tell(signaller)
    assert await dead(feed) == as_ids(over)
    assert set(await feed.stored()) == set(await feed.rows())
    assert await kept(feed) == good


async def test_it_is_told_for_as_long_as_the_token_lives_and_not_twice(feed: Feed) -> None:
    await feed.author.audience("shop")
    short, _ = await feed.author.give_token("shop", days=1 / 24), await feed.author.give_token("shop", days=90)
    await feed.author.rule("shop", CLOSED)
    signaller = feed.signaller()
    await feed.tell(signaller)
    [fact] = [fact for fact in (await feed.rows()).values() if fact["id"] == str(short)]
    [end] = await feed.query("SELECT ceil(extract(epoch FROM clock_timestamp() + interval '1 hour'))::bigint + 60 AS until")
    assert fact["until"] - end["until"] in range(-60, 1)
    counted = "SELECT count FROM signal_classes WHERE class = 'access'"
    before = await feed.query(counted)
    await feed.author.rule("shop", Rules(principals=(PrincipalKind.USER,), access_token_ttl=60))
    await feed.tell(signaller)
    assert await feed.query(counted) == before


async def test_what_was_refused_stays_refused_and_what_is_given_after_a_reopening_is_good(feed: Feed) -> None:
    author = feed.author
    await author.audience("shop")
    before = await author.give_token("shop")
    await author.rule("shop", CLOSED)
    await author.rule("shop", Rules())
    after = await author.give_token("shop")
    await author.rule("shop", Rules(access_token_ttl=60))
    await feed.tell(feed.signaller())
    assert await dead(feed) == as_ids({before})
    assert await kept(feed) == {after}


async def test_many_tokens_of_one_audience_are_told_in_parts_and_nothing_is_complete_before_the_last(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.signals.telling.MOST_TOKENS", 3)
    await feed.author.audience("shop")
    first = feed.signaller()
    await feed.tell(first)
    given = {await feed.author.give_token("shop") for _ in range(7)}
    await feed.author.retire_audience("shop")
    ada = await feed.author.user()
    await feed.author.sign_out(ada)
    size = await feed.sequence()
    parts = [0]
    while len(await dead(feed)) < 6:
        assert await first.folder.step()
        assert (first.folder._state is None) is (len(await dead(feed)) > 0)
        parts.append(len(await dead(feed)))
    assert parts[-2:] == [3, 6]
    assert feed.folded[-1].position < size - 3
    await first.close()
    await feed.tell(feed.signaller())
    assert await dead(feed) == as_ids(given)
    assert f"sig.v1.access.user.{ada}" in await feed.rows()


async def test_a_revoked_and_an_ended_token_are_not_kept(feed: Feed) -> None:
    await feed.author.audience("shop")
    await feed.author.give_token("shop", days=-1)
    await feed.author.give_token("nats")
    await feed.tell(feed.signaller())
    assert await kept(feed) == set()


async def test_tokens_from_before_there_was_such_a_table_are_judged_when_somebody_takes_the_lead(feed: Feed) -> None:
    """As after the migration, where older code has passed over what their audience came to."""
    author = feed.author
    await author.audience("shop", READ)
    await author.audience("open", READ)
    over, good = await author.give_token("shop", "reporter", READ), await author.give_token("open", "reporter", READ)
    await author.give_token("shop", days=-1)
    await author.revoke_token()
    older = feed.signaller()
    await feed.tell(older)
    await feed.query("DELETE FROM live_service_tokens")
    await author.retire_audience("shop")
    await feed.tell(older)
    await older.close()
    told_before = await dead(feed)
    assert str(over) not in told_before
    fill = (Path(migrations.__file__).parent / "0036_given_service_tokens.sql").read_text()
    await feed.query(fill[fill.index("INSERT INTO") : fill.index("-- The same step")])
    assert await kept(feed) == {over, good}
    await feed.tell(feed.signaller())
    assert await dead(feed) == told_before | as_ids({over})
    assert await kept(feed) == {good}
