"""The client against a Minos that loses answers, is busy, or says no: one that stands in this process."""

import asyncio
import inspect
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from minos_sdk.answers_of_minos import FactorRequired, TokenPair
from minos_sdk.breaker import Breaker
from minos_sdk.call_errors import CallFailed, CallRefused, SignedOut, Unreachable
from minos_sdk.client import MinosClient
from minos_sdk.steps import Answered, NoAnswer, Retries
from minos_sdk.sync_client import SyncMinosClient
from rotating import AT_ONCE, URL, Minos, client_of, problem, signed_in, sync_client_of


async def test_many_calls_at_once_renew_an_ended_token_once() -> None:
    minos = Minos()
    minos.life = 0
    client = await signed_in(minos)
    minos.life = 300
    answers = await asyncio.gather(*(client.request("GET", "/api/v1/me") for _ in range(20)))
    assert answers == [{"me": "ada"}] * 20
    assert minos.refreshes == 1


async def test_attack_lost_answer_to_a_refresh_does_not_look_like_a_thief() -> None:
    minos = Minos()
    client = await signed_in(minos)
    minos.lose_next = 2
    assert (await client.refresh()).refresh_token == "mrt_2"
    assert (minos.refreshes, minos.over) == (3, False)


async def test_a_refresh_goes_on_when_who_asked_for_it_is_cancelled() -> None:
    minos, begun, go = Minos(), asyncio.Event(), asyncio.Event()

    async def slowly(request: httpx.Request) -> httpx.Response:
        answer = minos(request)
        if request.url.path.endswith("/refresh"):
            begun.set()
            await go.wait()
        return answer

    client = MinosClient(URL, http=httpx.AsyncClient(transport=httpx.MockTransport(slowly)), retries=AT_ONCE)
    await client.login(email="ada@example.org", password="a pass phrase")
    asking = asyncio.create_task(client.refresh())
    await begun.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    waiting = asyncio.create_task(client.refresh())
    await asyncio.sleep(0)
    go.set()
    assert (await waiting).refresh_token == "mrt_2"
    assert minos.refreshes == 1


async def test_signing_out_while_a_refresh_is_under_way_leaves_nobody_signed_in() -> None:
    minos, begun, go = Minos(), asyncio.Event(), asyncio.Event()

    async def slowly(request: httpx.Request) -> httpx.Response:
        answer = minos(request)
        if request.url.path.endswith("/refresh"):
            begun.set()
            await go.wait()
        return answer

    client = MinosClient(URL, http=httpx.AsyncClient(transport=httpx.MockTransport(slowly)), retries=AT_ONCE)
    await client.login(email="ada@example.org", password="a pass phrase")
    refreshing = asyncio.create_task(client.refresh())
    await begun.wait()
    await client.logout()
    go.set()
    await refreshing
    assert client.tokens is None
    with pytest.raises(SignedOut):
        await client.token()


async def test_a_session_that_is_over_signs_the_client_out_and_is_told() -> None:
    minos, told = Minos(), list[TokenPair | None]()
    client = await signed_in(minos, on_tokens=told.append)
    minos.over = True
    with pytest.raises(SignedOut):
        await client.request("GET", "/api/v1/me")
    assert [None if pair is None else pair.refresh_token for pair in told] == ["mrt_1", None]
    assert client.tokens is None


async def test_a_new_pair_is_kept_also_when_telling_of_it_fails() -> None:
    minos = Minos()
    client = await signed_in(minos)

    def full(_: TokenPair | None) -> None:
        raise OSError("disk full")

    going_on = client_of(minos, tokens=client.tokens, on_tokens=full)
    with pytest.raises(OSError, match="disk full"):
        await going_on.refresh()
    assert going_on.tokens is not None
    assert going_on.tokens.refresh_token == "mrt_2"


async def test_an_earlier_session_goes_on_with_its_newest_pair() -> None:
    minos = Minos()
    kept = (await signed_in(minos)).tokens
    assert await client_of(minos, tokens=kept).request("GET", "/api/v1/me") == {"me": "ada"}
    assert minos.refreshes == 1


async def test_a_token_refused_ahead_of_its_time_is_renewed_once_and_the_call_made_again() -> None:
    minos = Minos()
    client = await signed_in(minos)
    minos.generation = 2
    assert await client.request("POST", "/api/v1/things", json={}) == {"me": "ada"}
    assert minos.asked.count(("POST", "/api/v1/things")) == 2


async def test_reads_are_asked_again_when_minos_is_busy_and_writes_are_not() -> None:
    minos = Minos()
    client = await signed_in(minos)
    minos.answers = [problem(503, "overloaded"), problem(429, "rate_limited", retry_after="0")]
    assert await client.request("GET", "/api/v1/me") == {"me": "ada"}
    minos.answers = [problem(503, "overloaded", retry_after="7")]
    with pytest.raises(Unreachable) as failed:
        await client.request("POST", "/api/v1/things", json={})
    assert failed.value.retry_after == 7
    assert minos.asked.count(("POST", "/api/v1/things")) == 1


async def test_a_write_that_may_be_repeated_carries_one_idempotency_key() -> None:
    minos = Minos()
    client = await signed_in(minos)
    minos.answers = [problem(503, "overloaded")]
    await client.request("POST", "/api/v1/things", json={}, repeatable=True)
    keys = {request.headers["idempotency-key"] for request in minos.seen if request.url.path == "/api/v1/things"}
    assert minos.asked.count(("POST", "/api/v1/things")) == 2
    assert len(keys) == 1


async def test_a_sign_in_is_tried_once() -> None:
    asked: list[str] = []

    def away(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        raise httpx.ConnectTimeout("away")

    with pytest.raises(Unreachable):
        await client_of(away).login(email="ada@example.org", password="a pass phrase")
    assert asked == ["/api/v1/auth/login"]


async def test_a_second_factor_is_asked_for_and_shown() -> None:
    def minos(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/factor"):
            assert json.loads(request.content) == {"challenge": "mch_1", "factor": "totp", "code": "123456"}
            return httpx.Response(200, json=Minos().pair())
        return httpx.Response(
            200, json={"status": "factor_required", "challenge": "mch_1", "factors": [{"factor": "totp"}], "expires_in": 300}
        )

    client = client_of(minos)
    asked = await client.login(username="ada", password="a pass phrase")
    assert isinstance(asked, FactorRequired)
    assert client.tokens is None
    assert isinstance(await client.complete_login(asked, factor="totp", code="123456"), TokenPair)
    assert await client.token() == "access-1"


async def test_lists_are_read_to_their_end_page_by_page() -> None:
    def minos(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/login"):
            return httpx.Response(200, json=Minos().pair())
        cursor = request.url.params.get("cursor")
        page = {None: ([1, 2], "b&c"), "b&c": ([3], None)}[cursor]
        return httpx.Response(200, json={"data": [{"n": n} for n in page[0]], "next_cursor": page[1]})

    client = client_of(minos)
    await client.login(email="ada@example.org", password="a pass phrase")
    assert [each["n"] async for each in client.pages("/api/v1/users")] == [1, 2, 3]
    blocking = sync_client_of(minos)
    await asyncio.to_thread(blocking.login, email="ada@example.org", password="a pass phrase")
    assert [each["n"] for each in blocking.pages("/api/v1/users")] == [1, 2, 3]


async def test_permissions_are_asked_in_order_and_a_verdict_is_true_or_not() -> None:
    minos = Minos()
    client = await signed_in(minos)
    told = {"checks": [{"allowed": True, "because": "role", "role": "editor"}, {"allowed": False, "because": "no_role", "role": None}]}
    minos.answers = [problem(503, "overloaded"), httpx.Response(200, json=told)]
    assert [bool(verdict) for verdict in await client.check_permissions([{"permission": "a"}, {"permission": "b"}])] == [True, False]


@pytest.mark.parametrize("path", ["https://evil.example/api", "//evil.example/", "api/v1/me", "@evil.example"])
async def test_attack_path_that_sends_the_token_elsewhere(path: str) -> None:
    minos = Minos()
    client = await signed_in(minos)
    with pytest.raises(ValueError, match="begins with one slash"):
        await client.request("GET", path)
    assert len(minos.asked) == 1


async def test_attack_redirect_that_sends_the_token_elsewhere() -> None:
    minos = Minos()
    client = await signed_in(minos)
    minos.answers = [httpx.Response(307, headers={"location": "https://evil.example/"})]
    with pytest.raises(CallRefused):
        await client.request("GET", "/api/v1/me")
    assert {request.url.host for request in minos.seen} == {"auth.example"}


def test_secrets_are_not_sent_in_the_clear() -> None:
    for url in ("http://auth.example", "ftp://auth.example", "https://user:pass@auth.example", "auth.example"):
        with pytest.raises(ValueError, match="url "):
            MinosClient(url)


async def test_secrets_are_in_no_repr_and_no_exception() -> None:
    minos = Minos()
    client = await signed_in(minos)
    shown = [repr(client), repr(client.tokens), str(client.tokens)]
    minos.answers = [problem(400, "validation_failed"), httpx.Response(200, content=b"<html>access-1</html>")]
    for _ in range(2):
        with pytest.raises(CallFailed) as failed:
            await client.request("POST", "/api/v1/things", json={"secret": "a pass phrase"})
        shown += [repr(failed.value), str(failed.value), repr(failed.value.__cause__), repr(vars(failed.value))]
    assert not [text for text in shown if "access-1" in text or "mrt_" in text or "pass phrase" in text or "mdv_" in text]


def test_threads_renew_an_ended_token_once() -> None:
    minos, together = Minos(), threading.Barrier(8)
    minos.life = 0
    client = sync_client_of(minos)
    client.login(email="ada@example.org", password="a pass phrase")
    minos.life = 300

    def call(_: int) -> Any:
        together.wait()
        return client.request("GET", "/api/v1/me")

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(call, range(8))) == [{"me": "ada"}] * 8
    assert minos.refreshes == 1


def test_the_blocking_client_has_the_same_calls() -> None:
    def calls_of(kind: type[Any]) -> dict[str, str]:
        public = {name: member for name, member in vars(kind).items() if not name.startswith("_") and callable(member)}
        return {name: str(inspect.signature(member).replace(return_annotation=None)) for name, member in public.items()}

    assert calls_of(SyncMinosClient) == calls_of(MinosClient)


def test_pauses_double_are_shortened_by_chance_and_keep_to_what_the_server_names() -> None:
    retries = Retries(times=6, first_s=0.1, longest_s=0.5)
    bounds = [0.1, 0.2, 0.4, 0.5, 0.5]
    for _ in range(50):
        pauses = [retries.pause(attempt, NoAnswer()) for attempt in range(1, 7)]
        assert all(pause is not None and 0 <= pause <= bound for pause, bound in zip(pauses[:5], bounds, strict=True))
        assert pauses[5] is None
    named = [retries.pause(1, Answered(503, {"retry-after": text}, b"")) for text in ("0", "9")]
    assert named == [0.0, None]
    assert retries.pause(1, Answered(500, {}, b"")) is None


def test_who_does_not_answer_is_left_alone_for_a_while_and_then_asked_by_one() -> None:
    now = [0.0]
    breaker = Breaker(failures=3, pause_s=1.0, clock=lambda: now[0])
    for _ in range(3):
        assert breaker.admits()
        breaker.note(answered=False)
    assert not breaker.admits()
    now[0] = 1.0
    assert [breaker.admits(), breaker.admits()] == [True, False]
    breaker.note(answered=True)
    assert [breaker.admits(), breaker.admits()] == [True, True]
