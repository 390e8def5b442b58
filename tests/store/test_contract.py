"""What every event store promises, run against each."""

import asyncio
from uuid import UUID

import pytest
from msgspec import structs

from commands.ports import KEYS_PER_ACTOR, AppendResult, ClaimMac, EventStore
from domain.errors import IdempotencyKeysExhausted
from domain.ids import StreamName
from tests.store.commits import commit, event, holder_of, idempotency, mac, release, stream, take, write

DONE, LOST, TAKEN = AppendResult.DONE, AppendResult.LOST_RACE, AppendResult.CLAIM_TAKEN


async def held_by(store: EventStore, *names: ClaimMac) -> UUID | None:
    return (await store.find_holder(names)).holder


async def test_a_stream_nobody_wrote_is_at_version_0_without_state(store: EventStore) -> None:
    (head,) = (await store.load([stream()])).heads
    assert (head.version, head.state) == (0, None)


async def test_an_append_moves_the_head(store: EventStore) -> None:
    name = stream()
    moved = write(name, 0, events=3)
    assert (await store.append(commit(moved))).result is DONE
    (head,) = (await store.load([name])).heads
    assert (head.stream, head.version, head.state, head.state_version) == (name, 3, moved.state, 3)


async def test_heads_come_in_the_order_asked_for_even_twice(store: EventStore) -> None:
    a, b = stream(), stream()
    await store.append(commit(write(b, 0)))
    assert [(h.stream, h.version) for h in (await store.load([b, a, b])).heads] == [(b, 1), (a, 0), (b, 1)]


async def test_loading_nothing_is_a_mistake(store: EventStore) -> None:
    with pytest.raises(ValueError, match="at least one"):
        await store.load([])


async def test_events_are_kept_as_they_were_given(store: EventStore) -> None:
    name = stream()
    made = commit(write(name, 0, events=2))
    await store.append(made)
    first, second = await store.read_stream(name)
    given = made.writes[0].events
    assert [first.event_id, second.event_id] == [given[0].event_id, given[1].event_id]
    assert (first.version, second.version, first.payload, first.type) == (1, 2, given[0].payload, given[0].type)
    assert (first.actor, first.session_id, first.causation_id, first.key_id) == ("system", None, None, None)
    assert (first.command_id, first.correlation_id, first.stream) == (made.command_id, made.correlation_id, name)


async def test_a_stream_can_be_read_from_a_version_on(store: EventStore) -> None:
    name = stream()
    await store.append(commit(write(name, 0, events=3)))
    assert [e.version for e in await store.read_stream(name, 1)] == [2, 3]
    assert list(await store.read_stream(name, 3)) == []


async def test_clocks_of_loads_and_events_are_the_stores(store: EventStore) -> None:
    name = stream()
    before = (await store.load([name])).at
    await store.append(commit(write(name, 0)))
    (stored,) = await store.read_stream(name)
    assert before <= stored.recorded_at <= (await store.load([name])).at
    assert before.tzinfo is not None


async def test_a_stale_version_loses_and_leaves_nothing(store: EventStore) -> None:
    name, other = stream(), stream()
    await store.append(commit(write(name, 0)))
    assert (await store.append(commit(write(name, 0), write(other, 0)))).result is LOST
    assert [h.version for h in (await store.load([name, other])).heads] == [1, 0]
    assert list(await store.read_stream(other)) == []


async def test_a_version_that_was_never_reached_loses(store: EventStore) -> None:
    assert (await store.append(commit(write(stream(), 7)))).result is LOST


async def test_streams_of_one_commit_move_together(store: EventStore) -> None:
    a, b = stream(), stream()
    assert (await store.append(commit(write(b, 0), write(a, 0, events=2)))).result is DONE
    assert [h.version for h in (await store.load([a, b])).heads] == [2, 1]


async def test_a_condition_holds_while_its_stream_stands_still(store: EventStore) -> None:
    watched, written = stream(), stream()
    assert (await store.append(commit(write(watched, 0, events=0), write(written, 0)))).result is DONE
    await store.append(commit(write(watched, 0)))
    assert (await store.append(commit(write(watched, 0, events=0), write(written, 1)))).result is LOST
    assert (await store.append(commit(write(watched, 1, events=0), write(written, 1)))).result is DONE
    assert (await store.load([watched])).heads[0].state == f"{watched} at 1".encode()


async def test_a_condition_leaves_no_head_behind(store: EventStore) -> None:
    watched = stream()
    await store.append(commit(write(watched, 0, events=0), write(stream(), 0)))
    head = (await store.load([watched])).heads[0]
    assert (head.version, head.state) == (0, None)
    assert (await store.append(commit(write(watched, 0)))).result is DONE


async def test_a_taken_name_cannot_be_taken_again(store: EventStore) -> None:
    name, first, second = mac(), stream("claim"), stream("claim")
    assert (await store.append(commit(write(first, 0), claims=(take(name, first),)))).result is DONE
    assert (await store.append(commit(write(second, 0), claims=(take(name, second),)))).result is TAKEN
    assert await held_by(store, mac(), name) == holder_of(first)
    assert (await store.load([second])).heads[0].version == 0


async def test_a_name_is_found_with_heads_of_its_holder(store: EventStore) -> None:
    name, owner = mac(), stream("claim")
    user, guard = StreamName(f"user-{holder_of(owner)}"), StreamName(f"guard-{holder_of(owner)}")
    await store.append(commit(write(owner, 0), write(user, 0, events=2), claims=(take(name, owner),)))
    found = await store.find_holder([mac(), name], categories=["guard", "user"])
    assert found.holder == holder_of(owner)
    assert found.heads == (await store.load([guard, user])).heads
    assert found.at.tzinfo is not None


async def test_a_name_nobody_holds_is_found_free_with_heads_of_somebody_else(store: EventStore) -> None:
    owner = stream("claim")
    user = StreamName(f"user-{holder_of(owner)}")
    await store.append(commit(write(owner, 0), write(user, 0), claims=(take(ClaimMac(0, b"the first one of all"), owner),)))
    found = await store.find_holder([mac()], categories=["user"])
    assert (found.holder, found.heads) == (None, (await store.load([user])).heads)
    await store.append(commit(write(owner, 1), claims=(release(ClaimMac(0, b"the first one of all"), owner),)))


async def test_heads_of_other_streams_come_after_the_holders(store: EventStore) -> None:
    name, owner, other, unwritten = mac(), stream("claim"), stream(), stream()
    await store.append(commit(write(owner, 0), write(other, 0, events=2), claims=(take(name, owner),)))
    of_owner = StreamName(f"claim-{holder_of(owner)}")
    found = await store.find_holder([name], categories=["claim"], also=[unwritten, other])
    assert found.holder == holder_of(owner)
    assert found.heads == (await store.load([of_owner, unwritten, other])).heads


async def test_heads_of_other_streams_come_for_a_name_nobody_holds_and_without_any_of_the_holder(store: EventStore) -> None:
    other = stream()
    await store.append(commit(write(other, 0)))
    found = await store.find_holder([mac()], also=[other, other])
    assert (found.holder, found.heads) == (None, (await store.load([other, other])).heads)


async def test_the_first_candidate_that_is_held_counts(store: EventStore) -> None:
    names, owners = [mac(), mac()], [stream("claim"), stream("claim")]
    for name, owner in zip(names, owners, strict=True):
        await store.append(commit(write(owner, 0), claims=(take(name, owner),)))
    assert await held_by(store, mac(), *names) == holder_of(owners[0])
    assert await held_by(store, *reversed(names)) == holder_of(owners[1])


async def test_names_looked_up_at_once_are_each_answered_for_themselves(store: EventStore) -> None:
    names, owners = [mac() for _ in range(100)], [stream("claim") for _ in range(100)]
    for name, owner in zip(names[::2], owners[::2], strict=True):
        await store.append(commit(write(owner, 0), claims=(take(name, owner),)))
    categories = ("claim", "user", "guard")
    others = [[owners[n]] * (n % 3) for n in range(100)]
    asked = (store.find_holder([mac(), name], categories=categories[: n % 4], also=others[n]) for n, name in enumerate(names))
    for n, found in enumerate(await asyncio.gather(*asked)):
        assert found.holder == (None if n % 2 else holder_of(owners[n]))
        assert [head.stream.partition("-")[0] for head in found.heads[: n % 4]] == [*categories][: n % 4]
        assert [head.stream for head in found.heads[n % 4 :]] == others[n]
        if not n % 2:
            assert [head.version for head in found.heads] == [*[1, 0, 0][: n % 4], *[1] * (n % 3)]


async def test_a_name_is_looked_up_under_some_key(store: EventStore) -> None:
    with pytest.raises(ValueError, match="at least one"):
        await store.find_holder([])


async def test_a_name_is_taken_for_somebody(store: EventStore) -> None:
    nobodys = structs.replace(take(mac(), owner := stream("claim")), holder=None)
    with pytest.raises(ValueError, match="for somebody"):
        await store.append(commit(write(owner, 0), claims=(nobodys,)))


async def test_what_a_losing_commit_wanted_stays_free(store: EventStore) -> None:
    taken, free, owner, key = mac(), mac(), stream("claim"), idempotency()
    await store.append(commit(write(owner, 0), claims=(take(taken, owner),)))
    loser = stream("claim")
    lost = commit(write(loser, 0), claims=(take(free, loser), take(taken, loser)), idempotency=key)
    assert (await store.append(lost)).result is TAKEN
    stale = commit(write(owner, 0), claims=(take(free, owner),), idempotency=key)
    assert (await store.append(stale)).result is LOST
    assert await held_by(store, free) is None
    assert await store.find_outcome(key.key) is None


async def test_a_released_name_is_free(store: EventStore) -> None:
    name, owner, next_owner = mac(), stream("claim"), stream("claim")
    await store.append(commit(write(owner, 0), claims=(take(name, owner),)))
    assert (await store.append(commit(write(owner, 1), claims=(release(name, owner),)))).result is DONE
    assert await held_by(store, name) is None
    assert (await store.append(commit(write(next_owner, 0), claims=(take(name, next_owner),)))).result is DONE


async def test_a_name_can_pass_from_stream_to_stream_in_one_commit(store: EventStore) -> None:
    name, owner, next_owner = mac(), stream("claim"), stream("claim")
    await store.append(commit(write(owner, 0), claims=(take(name, owner),)))
    passed = commit(write(owner, 1), write(next_owner, 0), claims=(release(name, owner), take(name, next_owner)))
    assert (await store.append(passed)).result is DONE
    assert await held_by(store, name) == holder_of(next_owner)


async def test_nobody_releases_the_name_of_another(store: EventStore) -> None:
    name, owner, stranger = mac(), stream("claim"), stream("claim")
    await store.append(commit(write(owner, 0), claims=(take(name, owner),)))
    passed = commit(write(stranger, 0), claims=(release(name, stranger), take(name, stranger)))
    assert (await store.append(passed)).result is TAKEN
    assert await held_by(store, name) == holder_of(owner)


async def test_taking_ones_own_name_again_changes_nothing(store: EventStore) -> None:
    name, owner = mac(), stream("claim")
    await store.append(commit(write(owner, 0), claims=(take(name, owner),)))
    assert (await store.append(commit(write(owner, 1), claims=(take(name, owner),)))).result is DONE
    assert await held_by(store, name) == holder_of(owner)


async def test_a_known_key_gives_the_first_answer_again(store: EventStore) -> None:
    key, name = idempotency(outcome=b"first"), stream()
    assert (await store.append(commit(write(name, 0), idempotency=key))).result is DONE
    again = await store.append(commit(write(stream(), 0), idempotency=idempotency(key.key, outcome=b"second")))
    assert (again.result, again.outcome) == (AppendResult.REPLAYED, b"first")
    assert await store.find_outcome(key.key) == (b"digest", b"first")


async def test_a_known_key_with_another_body_is_a_conflict(store: EventStore) -> None:
    key, name = idempotency(), stream()
    await store.append(commit(write(stream(), 0), idempotency=key))
    other = idempotency(key.key, digest=b"another")
    assert (await store.append(commit(write(name, 0), idempotency=other))).result is AppendResult.KEY_CONFLICT
    assert (await store.load([name])).heads[0].version == 0


async def test_a_key_nobody_used_has_no_outcome(store: EventStore) -> None:
    assert await store.find_outcome(b"k" * 32) is None


async def keep_keys(store: EventStore, actor: str, number: int = 1) -> bytes:
    """Give one of them."""
    kept = [commit(write(stream(), 0), idempotency=idempotency(), actor=actor) for _ in range(number)]
    await asyncio.gather(*(store.append(c) for c in kept))
    assert kept[0].idempotency is not None
    return kept[0].idempotency.key


async def test_an_actor_with_as_many_keys_as_are_kept_gets_no_new_one(store: EventStore) -> None:
    await keep_keys(store, "user:ada", KEYS_PER_ACTOR - 1)
    assert await store.find_outcome(b"k" * 32, capped="user:ada") is None
    await keep_keys(store, "user:ada")
    with pytest.raises(IdempotencyKeysExhausted):
        await store.find_outcome(b"k" * 32, capped="user:ada")


async def test_the_cap_keeps_nobody_from_an_answer_and_no_other_actor_from_a_key(store: EventStore) -> None:
    known = await keep_keys(store, "user:ada", KEYS_PER_ACTOR)
    exhausted, *others = await asyncio.gather(
        store.find_outcome(b"k" * 32, capped="user:ada"),
        store.find_outcome(known, capped="user:ada"),
        store.find_outcome(b"k" * 32, capped="user:bob"),
        store.find_outcome(b"k" * 32),
        return_exceptions=True,
    )
    assert isinstance(exhausted, IdempotencyKeysExhausted)
    assert others == [(b"digest", b"outcome"), None, None]


async def test_a_command_that_lost_uses_up_no_key(store: EventStore) -> None:
    await keep_keys(store, "user:ada", KEYS_PER_ACTOR - 1)
    lost = commit(write(stream(), 7), idempotency=idempotency(), actor="user:ada")
    assert (await store.append(lost)).result is LOST
    assert await store.find_outcome(b"k" * 32, capped="user:ada") is None


async def test_of_64_appends_at_one_version_exactly_one_wins(store: EventStore) -> None:
    name = stream()
    for version in range(3):
        results = await asyncio.gather(*(store.append(commit(write(name, version))) for _ in range(64)))
        assert sorted(r.result for r in results) == [DONE] + [LOST] * 63
    assert [e.version for e in await store.read_stream(name)] == [1, 2, 3]


async def test_of_32_who_want_one_name_exactly_one_gets_it(store: EventStore) -> None:
    name = mac()
    owners = [stream("claim") for _ in range(32)]
    results = await asyncio.gather(*(store.append(commit(write(o, 0), claims=(take(name, o),))) for o in owners))
    winners = [o for o, r in zip(owners, results, strict=True) if r.result is DONE]
    assert [await held_by(store, name)] == [holder_of(winner) for winner in winners]


async def test_of_32_with_one_key_one_acts_and_the_others_hear_its_answer(store: EventStore) -> None:
    key = idempotency().key
    made = [commit(write(stream(), 0), idempotency=idempotency(key, outcome=b"%d" % n)) for n in range(32)]
    results = await asyncio.gather(*(store.append(c) for c in made))
    (winner,) = [n for n, r in enumerate(results) if r.result is DONE]
    assert {r.outcome for r in results if r.result is AppendResult.REPLAYED} == {b"%d" % winner}
    assert sum(head.version for head in (await store.load([c.writes[0].stream for c in made])).heads) == 1


async def test_many_at_once_are_each_answered_for_themselves(store: EventStore) -> None:
    names = [stream() for _ in range(300)]
    stale = set(names[::3])
    results = await asyncio.gather(*(store.append(commit(write(n, 1 if n in stale else 0))) for n in names))
    assert [r.result for r in results] == [LOST if n in stale else DONE for n in names]
    assert [h.version for h in (await store.load(names)).heads] == [0 if n in stale else 1 for n in names]


async def test_a_payload_above_32_kb_is_a_mistake(store: EventStore) -> None:
    whole = write(stream(), 0)
    huge = type(whole)(stream=whole.stream, expected=0, events=(event(b"x" * 32_769),), state=b"", state_version=1)
    with pytest.raises(ValueError, match="32768"):
        await store.append(commit(huge))


async def test_a_commit_names_each_stream_once(store: EventStore) -> None:
    name = stream()
    with pytest.raises(ValueError, match="each once"):
        await store.append(commit(write(name, 0), write(name, 1)))
