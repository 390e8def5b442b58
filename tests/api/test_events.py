"""The log over HTTP: what NATS has of it, for whoever may read it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest

from adapters.event_feed import EventFeed
from adapters.log_reader import LogReader
from api.events import readable
from domain.permission import Permission
from tests.api.conftest import Person, Served
from workers.outgoing import outgoing


@pytest.fixture
async def log(served: Served) -> AsyncIterator[LogReader]:
    await served.project()
    reader = LogReader(served.database.app_url)
    yield reader
    await reader.close()


async def follow(served: Served, token: str, **asked: int) -> httpx.Response:
    return await served.http.get("/api/v1/events", params=asked, headers={"Authorization": f"Bearer {token}"})


async def read(served: Served, token: str, **asked: int) -> dict[str, Any]:
    answer = await follow(served, token, **asked)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


async def test_the_feed_has_the_bytes_that_nats_has(served: Served, log: LogReader) -> None:
    page = await log.read(0, 50)
    answer = await follow(served, await served.machine("minos.events.read"), limit=50)
    told = msgspec.json.decode(answer.content, type=dict[str, msgspec.Raw])["data"]
    assert bytes(told) == b"[" + b",".join(outgoing(event, epoch=page.epoch).body for event in page.events) + b"]"


async def test_pages_lead_from_one_to_the_next_without_a_gap(served: Served, log: LogReader) -> None:
    token, after, found = await served.machine("minos.events.read"), 0, list[int]()
    size = (await log.size()).size
    while after < size:
        page = await read(served, token, after=after, limit=7)
        found += [event["position"] for event in page["data"]]
        after = page["next"]
    assert found[:size] == list(range(1, size + 1))


async def test_positions_move_over_what_is_not_for_the_reader(served: Served, log: LogReader) -> None:
    page = await log.read(0, 500)
    told = await read(served, await served.machine("minos.events.read.role"), limit=500)
    assert [event["position"] for event in told["data"]] == [e.position for e in page.events if e.type.startswith("role.")]
    assert (told["next"], told["size"], told["epoch"]) == (page.through, page.size, page.epoch)


async def test_an_administrator_reads_everything(served: Served, admin: Person, log: LogReader) -> None:
    answer = await admin.ask("GET", "/events", params={"limit": 3})
    assert [event["position"] for event in answer.json()["data"]] == [1, 2, 3]


async def test_a_page_ends_early_where_it_grows_large(served: Served, log: LogReader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.events.LARGEST_PAGE", 1)
    page = await read(served, await served.machine("minos.events.read"), limit=10)
    assert ([event["position"] for event in page["data"]], page["next"]) == ([1], 1)


async def test_a_reader_that_waits_is_told_when_something_comes(served: Served, log: LogReader) -> None:
    token, end = await served.machine("minos.events.read.user"), (await log.size()).size
    waiting = asyncio.create_task(read(served, token, after=end, wait=25))
    person = await served.person(sign_in=False)
    await served.project()
    page = await waiting
    while not page["data"]:  # the machine's own making was sequenced too
        page = await read(served, token, after=page["next"], wait=25)
    assert person.user_id in {event["data"].get("user_id") for event in page["data"]}


async def test_a_reader_that_waits_in_vain_is_let_go(served: Served, log: LogReader) -> None:
    token = await served.machine("minos.events.read")
    await served.project()
    end = (await log.size()).size
    page = await read(served, token, after=end, wait=1)
    assert (page["data"], page["next"]) == ([], end)


async def test_no_more_than_four_of_ones_requests_wait(served: Served, log: LogReader) -> None:
    token = await served.machine("minos.events.read")
    await served.project()
    end = (await log.size()).size
    answers = await asyncio.gather(*(follow(served, token, after=end, wait=1) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 200, 429, 429]


async def test_a_position_that_the_log_does_not_reach_is_refused(served: Served, log: LogReader) -> None:
    end = (await log.size()).size
    answer = await follow(served, await served.machine("minos.events.read"), after=end + 1_000)
    assert (answer.status_code, answer.json()["code"]) == (409, "log_changed")


async def test_a_position_of_another_epoch_is_refused(served: Served, log: LogReader) -> None:
    token = await served.machine("minos.events.read")
    answer = await follow(served, token, after=1, epoch=2)
    assert (answer.status_code, answer.json()["code"]) == (409, "log_changed")
    assert (await follow(served, token, after=1, epoch=1)).status_code == 200


@pytest.mark.parametrize("asked", [{"after": -1}, {"after": 2**53}, {"limit": 0}, {"limit": 501}, {"wait": 26}, {"epoch": -1}])
async def test_what_is_out_of_bounds_is_refused(served: Served, asked: dict[str, int]) -> None:
    answer = await follow(served, await served.machine("minos.events.read"), **asked)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, f"?{next(iter(asked))}")


@pytest.mark.parametrize(
    ("held", "seen"),
    [("minos.events.read.session", {"session"}), ("minos.*.read.user", {"user"}), ("minos.events.read.nothing", set()),
     ("minos.users.*", set()), ("minos.events", set()), ("minos.events.read.user.more", set())],
)  # fmt: skip
def test_a_permission_shows_its_own_category_and_no_other(held: str, seen: set[str]) -> None:
    assert readable((Permission(held),)) == seen


@pytest.mark.parametrize("held", ["minos.events.read", "minos.events.*", "minos.*", "*", "minos.*.read", "minos.events.read.*"])
def test_a_permission_over_all_of_them_shows_all(held: str) -> None:
    assert {"user", "session", "claim", "signing_key"} <= readable((Permission(held),))


async def test_nobody_looks_at_the_log_while_nobody_waits(served: Served) -> None:
    feed = EventFeed(served.database.app_url, asyncio.Event())
    await feed.beyond(2**40, 0.06)
    looking = feed._looking
    await feed.aclose()
    assert looking is None or looking.done() or looking.cancelled()
