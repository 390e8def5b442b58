from contextlib import nullcontext
from typing import Any
from uuid import uuid4

import pytest

from minos_sdk import ExpiredToken, InvalidToken, KeysUnavailable, Revoked, Verifier
from minos_sdk.credentials import Credential
from minos_sdk.facts import Fact
from minos_sdk.feeds.nats_login import Entry
from minos_sdk.jws import read
from minos_sdk.key_cache import KeyCache
from minos_sdk.testing import Authority, SettableClock, SigningKey, key_set


async def test_a_persons_token_gives_their_identity(minos_authority: Authority, minos_verifier: Verifier) -> None:
    minos_authority.feed.define_role("test", "clerk", ["orders.read", "carts.*"])
    user = str(uuid4())
    identity = await minos_verifier.verify(minos_authority.tokens.user(user, roles=["clerk"], sid="s1", jti="t1"))
    assert (identity.principal, identity.subject, identity.user_id, identity.session_id, identity.token_id) == (
        "user",
        user,
        user,
        "s1",
        "t1",
    )
    assert (identity.roles, identity.permissions) == ({"clerk"}, {"orders.read", "carts.*"})
    assert identity.has_permission("carts.pay")
    assert not identity.has_permission("orders.write")


async def test_a_services_token_gives_its_scope(minos_authority: Authority, minos_verifier: Verifier) -> None:
    identity = await minos_verifier.verify(minos_authority.tokens.service("billing", permissions=["orders.read"]))
    assert (identity.principal, identity.client_id, identity.user_id, identity.session_id) == ("service", "billing", None, None)
    assert identity.permissions == identity.scopes == {"orders.read"}


async def test_a_role_that_is_not_known_gives_nothing(minos_authority: Authority, minos_verifier: Verifier) -> None:
    identity = await minos_verifier.verify(minos_authority.tokens.user(roles=["unheard-of"]))
    assert (identity.roles, identity.permissions) == ({"unheard-of"}, set())


async def test_what_a_role_gives_changes_under_a_token_in_hand(minos_authority: Authority, minos_verifier: Verifier) -> None:
    token, feed = minos_authority.tokens.user(roles=["clerk"]), minos_authority.feed
    feed.define_role("test", "clerk", ["orders.read"])
    assert minos_verifier.check(token).permissions == {"orders.read"}
    feed.define_role("test", "clerk", ["orders.write"])
    assert minos_verifier.check(token).permissions == {"orders.write"}


async def test_a_lost_role_is_gone_and_never_comes_back_to_that_token(minos_authority: Authority, minos_verifier: Verifier) -> None:
    user, feed = str(uuid4()), minos_authority.feed
    token = minos_authority.tokens.user(user, roles=["admin", "clerk"])
    feed.set_roles("test", user, ["clerk", "owner"])
    assert minos_verifier.check(token).roles == {"clerk"}


@pytest.mark.parametrize("what", ["session", "user", "client", "key", "token"])
async def test_what_is_taken_back_is_refused_also_when_it_was_accepted_before(
    minos_authority: Authority, minos_verifier: Verifier, what: str
) -> None:
    token = minos_authority.tokens.user("u1", sid="s1", client_id="web", jti="t1")
    assert minos_verifier.check(token)
    feed = minos_authority.feed
    {
        "session": lambda: feed.end_session("s1"),
        "user": lambda: feed.end_user("u1"),
        "client": lambda: feed.end_client("web"),
        "key": lambda: feed.withdraw_key(minos_authority.key.kid),
        "token": lambda: feed.revoke_token("t1"),
    }[what]()
    with pytest.raises(Revoked) as refused:
        minos_verifier.check(token)
    assert refused.value.reason == f"revoked_{what}"
    assert minos_verifier.metrics()[f"refused_revoked_{what}"] == 1


async def test_signed_out_everywhere_and_in_again_within_one_second(minos_authority: Authority, minos_verifier: Verifier) -> None:
    old, new = (minos_authority.tokens.user("u1", epoch=epoch) for epoch in (1, 2))
    minos_authority.feed.end_user("u1", epoch=2)
    with pytest.raises(Revoked):
        minos_verifier.check(old)
    assert minos_verifier.check(new).subject == "u1"


async def test_a_service_whose_epoch_rose_is_out_until_it_has_a_new_token(minos_authority: Authority, minos_verifier: Verifier) -> None:
    minos_authority.feed.end_client("billing", epoch=2)
    with pytest.raises(Revoked):
        minos_verifier.check(minos_authority.tokens.service("billing"))
    assert minos_verifier.check(minos_authority.tokens.service("billing", epoch=2))


async def test_a_token_expires_under_the_verifiers_eyes(
    minos_authority: Authority, minos_clock: SettableClock, minos_verifier: Verifier
) -> None:
    token = minos_authority.tokens.user(ttl=60)
    minos_clock.advance(60 + 29)
    assert minos_verifier.check(token)
    minos_clock.advance(1)
    with pytest.raises(ExpiredToken):
        minos_verifier.check(token)


async def test_a_key_that_left_the_key_set_verifies_nothing_not_even_what_it_verified(
    minos_authority: Authority, minos_verifier: Verifier
) -> None:
    token = minos_authority.tokens.user()
    assert minos_verifier.check(token)
    minos_authority.keys.replace(key_set(SigningKey.new()))
    with pytest.raises(InvalidToken):
        await minos_verifier.verify(token)


async def test_a_clock_that_is_behind_lets_no_token_live_longer(
    minos_authority: Authority, minos_clock: SettableClock, minos_verifier: Verifier
) -> None:
    """Also not one that is set back after the token was accepted."""
    token = minos_authority.tokens.user(ttl=60)
    assert minos_verifier.check(token)
    receiver = minos_verifier.receiver
    minos_clock.set_back(3_600)
    receiver.complete("access", minos_clock.time() + 3_600 + 91)
    with pytest.raises(ExpiredToken):
        minos_verifier.check(token)


async def test_a_clock_that_is_wrong_by_hours_takes_back_what_was_revoked_all_the_same(
    minos_authority: Authority, minos_clock: SettableClock
) -> None:
    token = minos_authority.tokens.user("u1", sid="s1", ttl=36_000)
    verifier = minos_authority.verifier()
    minos_clock.set_back(7_200)
    minos_authority.feed.end_session("s1")
    with pytest.raises(Revoked):
        verifier.check(token)


async def test_attack_tokens_signed_by_made_up_keys_have_no_key_looked_for_unless_they_could_be_good(minos_authority: Authority) -> None:
    asked: list[bool] = []

    async def fetch() -> object:
        asked.append(True)
        raise OSError

    verifier = minos_authority.verifier(keys=KeyCache(fetch, clock=minos_authority.clock))  # type: ignore[arg-type]
    over = minos_authority.tokens.user(exp=int(minos_authority.clock.time()) - 31)
    for token in ("", "a.b.c", over, minos_authority.signals.signal({"kind": "session", "id": "s"})):
        with pytest.raises(InvalidToken):
            await verifier.verify(token)
    assert asked == []
    with pytest.raises(KeysUnavailable):
        await verifier.verify(minos_authority.tokens.user())
    assert asked == [True]


async def test_the_memory_of_tokens_is_bounded_and_has_no_token_in_it(minos_authority: Authority) -> None:
    verifier = minos_authority.verifier(remembered=10)
    tokens = [minos_authority.tokens.user() for _ in range(30)]
    assert all(verifier.check(token) for token in tokens)
    assert verifier.metrics()["tokens_remembered"] == 10
    assert all(len(key) == 32 for key in verifier._tokens._known)


def test_attack_token_read_off_what_reports_of_errors_show(minos_authority: Authority) -> None:
    """They show every value that was at hand as it shows itself."""
    token = minos_authority.tokens.user("ada")
    _, body, signature = token.split(".")
    shown = repr(read(token, longest=8_192)) + repr(Credential("bearer", token)) + repr(Entry("billing", token=token, password=token))
    assert not any(part in shown for part in (body, signature))


async def test_whoever_wants_to_know_is_told_of_each_fact_once(minos_authority: Authority, minos_verifier: Verifier) -> None:
    told: list[Fact] = []
    stop = minos_verifier.on_revoked(told.append)
    minos_authority.feed.end_session("s1")
    minos_authority.feed.end_session("s1")
    stop()
    minos_authority.feed.end_session("s2")
    assert len(told) == 1


async def test_a_callback_that_fails_keeps_nothing_from_the_others(minos_authority: Authority, minos_verifier: Verifier) -> None:
    told: list[Fact] = []
    minos_verifier.on_revoked(lambda fact: told.append(fact.no_such_member))  # type: ignore[union-attr]
    minos_verifier.on_revoked(told.append)
    minos_authority.feed.end_session("s1")
    assert len(told) == 1


async def test_a_watch_ends_with_its_session_and_with_no_other(minos_authority: Authority, minos_verifier: Verifier) -> None:
    identity = minos_verifier.check(minos_authority.tokens.user(sid="s1"))
    async with minos_verifier.watching(identity) as revoked:
        minos_authority.feed.end_session("s2")
        minos_authority.feed.end_user(identity.subject, epoch=1)
        assert not revoked.is_set()
        minos_authority.feed.end_session("s1")
        assert await revoked.wait() == "session"
    assert minos_verifier.metrics()["watches"] == 0


async def test_a_watch_on_what_is_over_already_is_set_at_once(minos_authority: Authority, minos_verifier: Verifier) -> None:
    identity = minos_verifier.check(minos_authority.tokens.user("u1"))
    minos_authority.feed.end_user("u1")
    async with minos_verifier.watching(identity) as revoked:
        assert revoked.is_set()


@pytest.mark.parametrize(
    "issuer",
    ["http://auth.example", "ftp://localhost", "https://auth.example?a=b", "https://me@auth.example", "https://:x@auth.example", "auth"],
)
def test_an_issuer_that_anybody_on_the_way_could_speak_for_is_refused(minos_authority: Authority, issuer: str) -> None:
    with pytest.raises(ValueError, match="issuer "):
        minos_authority.verifier(issuer=issuer)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"audience": ""}, "an audience"), ({"audience": ["orders"]}, "an audience"), ({"feed": "nats://127.0.0.1"}, "NatsFeed"),
        ({"on_blind": 60}, "AcceptUntil"), ({"on_blind": "refuse"}, "REFUSE"),
    ],
    ids=str,
)  # fmt: skip
def test_what_would_never_work_is_told_at_once(minos_authority: Authority, wrong: dict[str, Any], said: str) -> None:
    with pytest.raises((TypeError, ValueError), match=said):
        minos_authority.verifier(**wrong)


def test_a_leeway_longer_than_revocations_are_kept_is_refused(minos_authority: Authority) -> None:
    with pytest.raises(ValueError, match="leeway"):
        minos_authority.verifier(leeway=31)


@pytest.mark.parametrize(("levels", "good"), [(31, True), (32, False), (900, False)])
def test_attack_claims_nested_deeper_than_some_python_reads(minos_authority: Authority, levels: int, *, good: bool) -> None:
    nested: list[Any] = []
    for _ in range(levels - 1):
        nested = [nested]
    token = minos_authority.tokens.user(x=nested)
    with nullcontext() if good else pytest.raises(InvalidToken):
        minos_authority.verifier().check(token)
