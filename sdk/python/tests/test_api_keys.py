"""API keys: asked once, forgotten at a signal, never believed while blind."""

import asyncio
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from introspecting import KEY, URL, Feed, Minos, keys_of, written
from minos_sdk.api_keys import ApiKeys, is_written
from minos_sdk.client_credentials import ClientSecret
from minos_sdk.errors import InvalidToken
from minos_sdk.facts import ApiKeyRevoked, ClientEpoch, Fact, RoleGives, SessionEnded, UserEpoch, UserRoles
from minos_sdk.http import OwnedClient
from minos_sdk.known_keys import KnownKeys, digest_of
from minos_sdk.refusals import CredentialUnknown
from minos_sdk.sync_api_keys import SyncApiKeys


async def test_a_key_says_who_and_what_it_is_for_and_is_asked_about_once() -> None:
    minos = Minos()
    keys = keys_of(minos, Feed())
    who = await keys.identify(KEY)
    assert (who.principal, who.user_id, who.client_id, who.key_id, who.session_id) == ("api_key", "ada", None, "k1", None)
    assert who.has_permission("stock.count")
    assert not who.has_permission("orders.write")
    assert await keys.identify(KEY) is who
    assert minos.asked == 1


@pytest.mark.parametrize(
    "fact",
    [
        ApiKeyRevoked("k1", None),
        UserEpoch("ada", 2, None),
        UserRoles("shop", "ada", frozenset(), 2, None),
        RoleGives("shop", "clerk", frozenset(), retired=True, version=2),
    ],
    ids=["the key", "its person", "roles of its person", "what a role gives"],
)
async def test_attack_revoked_key_goes_on_out_of_the_cache(fact: Fact) -> None:
    minos, feed = Minos(), Feed()
    keys = keys_of(minos, feed)
    await keys.identify(KEY)
    minos.revoked.add(KEY)
    feed.tell(fact)
    with pytest.raises(InvalidToken):
        await keys.identify(KEY)


async def test_attack_revoked_key_goes_on_after_the_application_was_started_again() -> None:
    minos, feed = Minos(), Feed()
    keys = keys_of(minos, feed)
    async with keys:
        await keys.identify(KEY)
    assert feed.heard == []
    minos.revoked.add(KEY)
    with pytest.raises(InvalidToken):
        await keys.identify(KEY)
    minos.revoked.clear()
    async with keys:
        keys._known._bad.clear()
        await keys.identify(KEY)
        minos.revoked.add(KEY)
        feed.tell(ApiKeyRevoked("k1", None))
        with pytest.raises(InvalidToken):
            await keys.identify(KEY)


async def test_a_client_of_ones_own_is_there_again_after_it_was_closed_and_a_given_one_stays_open() -> None:
    own, given = OwnedClient(None), OwnedClient(httpx.AsyncClient())
    first, theirs = own.get(), given.get()
    for each in (own, given):
        await each.close()
        await each.close()
    assert first.is_closed
    assert not own.get().is_closed
    assert given.get() is theirs
    assert not theirs.is_closed
    await own.close()
    await theirs.aclose()


async def test_attack_key_of_a_deleted_service_goes_on_out_of_the_cache() -> None:
    minos, feed = Minos(), Feed()
    minos.told |= {"principal": "service", "sub": "client_x", "client_id": "client_x"}
    keys = keys_of(minos, feed)
    assert (await keys.identify(KEY)).client_id == "client_x"
    minos.revoked.add(KEY)
    feed.tell(ClientEpoch("client_x", None, None))
    with pytest.raises(InvalidToken):
        await keys.identify(KEY)


async def test_attack_key_revoked_while_it_is_asked_about_is_taken_for_good() -> None:
    """By who asked before the signal, by who came after it and waits for the same answer, and later."""
    minos, feed = Minos(), Feed()
    minos.gate = asyncio.Event()
    keys = keys_of(minos, feed)
    asking = asyncio.create_task(keys.identify(KEY))
    while not minos.asked:
        await asyncio.sleep(0)
    minos.revoked.add(KEY)
    feed.tell(ApiKeyRevoked("k1", None))
    joining = asyncio.create_task(keys.identify(KEY))
    await asyncio.sleep(0)
    minos.gate.set()
    for outcome in (asking, joining, keys.identify(KEY)):
        with pytest.raises(InvalidToken):
            await outcome


async def test_a_key_about_which_there_is_news_with_every_answer_is_not_known() -> None:
    minos, feed = Minos(), Feed()

    async def overtaken(request: httpx.Request) -> httpx.Response:
        feed.tell(UserEpoch("ada", minos.asked, None))
        return await Minos.__call__(minos, request)

    keys = ApiKeys(URL, "shop", ClientSecret("c", "s"), verifier=feed, http=httpx.AsyncClient(transport=httpx.MockTransport(overtaken)))
    with pytest.raises(CredentialUnknown):
        await keys.identify(KEY)
    assert minos.asked == 3


async def test_attack_feed_cut_off_so_that_a_revoked_key_stays_good() -> None:
    minos, feed = Minos(), Feed()
    keys = keys_of(minos, feed)
    await keys.identify(KEY)
    feed.is_blind = True
    minos.revoked.add(KEY)
    with pytest.raises(InvalidToken):
        await keys.identify(KEY)


async def test_nothing_good_is_kept_without_a_feed() -> None:
    minos = Minos()
    keys = keys_of(minos, None)
    for _ in range(2):
        await keys.identify(KEY)
    assert minos.asked == 2


async def test_signals_about_others_forget_nothing() -> None:
    minos, feed = Minos(), Feed()
    keys = keys_of(minos, feed)
    await keys.identify(KEY)
    for fact in (ApiKeyRevoked("k2", None), UserEpoch("bob", 2, None), ClientEpoch("ada", None, None), SessionEnded("k1", None)):
        feed.tell(fact)
    await keys.identify(KEY)
    assert minos.asked == 1


@pytest.mark.parametrize(
    "told",
    [{"aud": "orders"}, {"token_type": "Bearer"}, {"active": "true"}, {"active": False}],
    ids=["for another audience", "a token and no key", "no truth value", "not active"],
)
async def test_attack_key_that_is_good_for_something_else(told: dict[str, Any]) -> None:
    minos = Minos()
    minos.told |= told
    keys = keys_of(minos, Feed())
    for _ in range(2):
        with pytest.raises(InvalidToken):
            await keys.identify(KEY)
    assert minos.asked == 1, "what is no key is not asked about again at once"


MADE_UP = {
    "short": "mk_dev_x",
    "mistyped": KEY[:-1] + ("0" if KEY[-1] != "0" else "1"),
    "longer": KEY + "A",
    "other letters": KEY.replace("_dev_", "_DEV_"),
    "another kind": "mrt_" + KEY[4:],
    "very long": "mk_" + "A" * 500,
}


@pytest.mark.parametrize("key", MADE_UP.values(), ids=MADE_UP)
async def test_attack_flood_of_made_up_keys_that_each_cost_a_question(key: str) -> None:
    minos = Minos()
    with pytest.raises(InvalidToken):
        await keys_of(minos, Feed()).identify(key)
    assert minos.asked == 0
    assert is_written(KEY)


async def test_many_calls_with_one_key_ask_one_question_and_go_on_when_one_gives_up() -> None:
    minos = Minos()
    minos.gate = asyncio.Event()
    keys = keys_of(minos, Feed())
    calls = [asyncio.create_task(keys.identify(KEY)) for _ in range(10)]
    while not minos.asked:
        await asyncio.sleep(0)
    calls[0].cancel()
    minos.gate.set()
    done = await asyncio.gather(*calls, return_exceptions=True)
    assert isinstance(done[0], asyncio.CancelledError)
    assert {who.subject for who in done[1:] if not isinstance(who, BaseException)} == {"ada"}
    assert minos.asked == 1


@pytest.mark.parametrize("status", [503, 401, 200], ids=["busy", "our own credentials are wrong", "not minos"])
async def test_what_minos_does_not_say_is_no_yes_and_no_no(status: int) -> None:
    minos = Minos()
    minos.answer = httpx.Response(status, text='{"error": "invalid_client"}' if status == 401 else "<html>")
    keys = keys_of(minos, Feed())
    with pytest.raises(CredentialUnknown) as refused:
        await keys.identify(KEY)
    assert (refused.value.status, refused.value.challenge()) == (503, None)
    minos.answer = None
    assert (await keys.identify(KEY)).subject == "ada"


def test_answers_end_with_the_key_itself_and_after_half_a_minute() -> None:
    known, who = KnownKeys(), identity()
    known.keep(b"1", who, now=0.0, lasts_s=5.0)
    known.keep(b"2", who, now=0.0, lasts_s=500.0)
    assert [known.good(b"1", now=4.9), known.good(b"1", now=5.0)] == [who, None]
    assert [known.good(b"2", now=29.9), known.good(b"2", now=30.0)] == [who, None]
    known.keep_bad(b"3", now=0.0)
    assert [known.is_bad(b"3", now=9.9), known.is_bad(b"3", now=10.0)] == [True, False]
    assert len(known) == 0
    with pytest.raises(ValueError, match="30 s"):
        KnownKeys(good_s=31)


async def test_attack_flood_of_made_up_keys_keeps_good_ones_from_being_asked_about() -> None:
    """Anybody can compute their checksum, so each costs a question."""
    minos, feed = Minos(), Feed()
    keys = keys_of(minos, feed)
    await keys.identify(KEY)
    feed.tell(ApiKeyRevoked("k1", None))
    minos.gate, minos.asked = asyncio.Event(), 0
    flood = [asyncio.create_task(keys.identify(written(n))) for n in range(2, 202)]
    known = asyncio.create_task(keys.identify(KEY))
    while minos.asked < 33:
        await asyncio.sleep(0)
    minos.revoked |= {written(n) for n in range(2, 202)}
    minos.gate.set()
    assert (await known).key_id == "k1"
    outcomes = await asyncio.gather(*flood, return_exceptions=True)
    assert minos.asked == 33
    assert sum(isinstance(outcome, CredentialUnknown) for outcome in outcomes) == 168
    minos.revoked.clear()
    assert await keys.identify(written(300))


def test_attack_flood_of_made_up_keys_pushes_good_ones_out() -> None:
    known, who = KnownKeys(most=10), identity()
    known.keep(b"good", who, now=0.0, lasts_s=30.0)
    for n in range(100):
        known.keep_bad(b"%d" % n, now=0.0)
    assert known.good(b"good", now=1.0) is who
    assert len(known) == 11
    for n in range(100):
        known.keep(b"%d" % n, who, now=0.0, lasts_s=30.0)
    assert len(known) <= 20
    known.drop(("user", "ada"))
    assert known._good == known._tied == {}


def test_without_a_loop_every_good_key_is_asked_about_and_bad_ones_once() -> None:
    asked: list[str] = []

    def minos(request: httpx.Request) -> httpx.Response:
        asked.append(parse_qs(request.content.decode())["token"][0])
        return httpx.Response(200, json=Minos().told if asked[-1] == KEY else {"active": False})

    http = httpx.Client(transport=httpx.MockTransport(minos))
    with SyncApiKeys(URL, "shop", ClientSecret("client_shop", "mcs_secret"), http=http) as keys:
        assert [keys.identify(KEY).key_id for _ in range(2)] == ["k1", "k1"]
        for _ in range(2):
            with pytest.raises(InvalidToken):
                keys.identify(written(2))
        with pytest.raises(InvalidToken):
            keys.identify("mk_dev_1")
    assert asked == [KEY, KEY, written(2)]


def test_keys_are_kept_by_their_digest() -> None:
    assert len(digest_of(KEY)) == 32


def identity() -> Any:
    from minos_sdk.api_keys import identity_of

    return identity_of(Minos().told, "shop")
