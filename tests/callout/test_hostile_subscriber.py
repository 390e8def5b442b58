"""A service that was let in tries everything else: to read what is not for it, to write, to be heard by others."""

import asyncio
from typing import Any

import pytest

from adapters.nats_client import settled
from domain.ids import ClientId
from tests.callout.conftest import SUBJECTS, Authority, Enter, Entered

INBOX = "_INBOX_{me}.answer"
NOT_TO_BE_SAID = [
    "minos.events.v1.user.registered",
    "minos.hint.appended",
    "sig.v1.access.user.1",
    "live.v1.access.user.1",
    "live.v1.access.heartbeat",
    "hint.v1.access.user.1",
    "live.v1.roles.shop.1",
    "_INBOX_somebody.1",
    "_R_.1",
    "$JS.API.DIRECT.GET.MINOS_EVENTS",
    "$JS.API.DIRECT.GET.SIG_ROLES_shop",
    "$JS.API.DIRECT.GET.SIG_ACCESS.sig.v1.access.user.1",
    "$JS.API.INFO",
    "$JS.API.STREAM.NAMES",
    "$JS.API.STREAM.INFO.SIG_ACCESS",
    "$JS.API.STREAM.CREATE.MINE",
    "$JS.API.STREAM.UPDATE.SIG_ACCESS",
    "$JS.API.STREAM.PURGE.SIG_ACCESS",
    "$JS.API.STREAM.DELETE.SIG_ACCESS",
    "$JS.API.STREAM.MSG.GET.SIG_ACCESS",
    "$JS.API.STREAM.MSG.DELETE.SIG_ACCESS",
    "$JS.API.STREAM.SNAPSHOT.SIG_ACCESS",
    "$JS.API.CONSUMER.CREATE.SIG_ACCESS",
    "$JS.API.CONSUMER.CREATE.SIG_ACCESS.mine",
    "$JS.API.CONSUMER.DURABLE.CREATE.SIG_ACCESS.mine",
    "$JS.API.CONSUMER.MSG.NEXT.SIG_ACCESS.mine",
    "$JS.ACK.SIG_ACCESS.mine.1.1.1.1.0",
    "$SYS.REQ.USER.AUTH",
    "$SYS.REQ.USER.INFO",
    "$SYS.REQ.SERVER.PING",
    "$SYS.REQ.ACCOUNT.MINOS.CONNZ",
    "$SYS.ACCOUNT.MINOS.CONNECT",
]
NOT_TO_BE_HEARD = [
    ">",
    "*.>",
    "minos.>",
    "sig.>",
    "live.>",
    "live.v1.>",
    "live.v1.*.>",
    "live.v1.roles.shop.>",
    "live.v1.role_map.shop.>",
    "hint.v1.>",
    "hint.v1.roles.shop.>",
    "_INBOX.>",
    "_INBOX_somebody.>",
    "_R_.>",
    "$JS.>",
    "$JS.API.>",
    "$JS.EVENT.>",
    "$SYS.>",
    "$SYS.REQ.USER.AUTH",
]


@pytest.fixture
async def hostile(authority: Authority, enter: Enter) -> tuple[ClientId, Entered]:
    """A service that may read the class `access`, with an ear for answers."""
    me = await authority.service("minos.signals.access")
    entered = await enter(name=me, token=await authority.token(me))
    await entered.subscribe(INBOX.format(me=me))
    return me, entered


async def kept(authority: Authority) -> dict[str, tuple[int, int, int]]:
    """What the streams hold, and how many read them."""
    js, found = authority.minos.jetstream(), {}
    for name in SUBJECTS:
        state = (await js.stream_info(name)).state
        found[name] = (state.messages, state.last_seq, state.consumer_count)
    return found


async def test_it_publishes_nowhere_and_asks_for_nothing_but_its_own_stream(
    authority: Authority, hostile: tuple[ClientId, Entered]
) -> None:
    me, entered = hostile
    await authority.minos.jetstream().publish("sig.v1.access.user.1", b"theirs")
    await authority.minos.jetstream().publish("minos.events.v1.user.registered", b"ours")
    before = await kept(authority)
    for subject in NOT_TO_BE_SAID:
        await entered.client.publish(subject, b'{"seq":1}', reply=INBOX.format(me=me))
    await entered.told(len(NOT_TO_BE_SAID))
    assert entered.errors == [f'nats: permissions violation for publish to "{subject.lower()}"' for subject in NOT_TO_BE_SAID]
    assert entered.got == []
    assert await kept(authority) == before


async def test_it_hears_nothing_that_is_not_of_its_class(authority: Authority, hostile: tuple[ClientId, Entered]) -> None:
    _, entered = hostile
    for subject in NOT_TO_BE_HEARD:
        for queue in ("", "together"):
            await entered.subscribe(subject, queue=queue)
    await entered.told(2 * len(NOT_TO_BE_HEARD))
    assert all(error.startswith("nats: permissions violation for subscription") for error in entered.errors)
    for subject in ("minos.hint.appended", "live.v1.roles.shop.1", "hint.v1.roles.shop.1", "live.v1.role_map.shop.1", "_INBOX_somebody.1"):
        await authority.minos.publish(subject, b"not for it")
    await authority.minos.jetstream().publish("sig.v1.access.user.2", b"not by this way")
    await settled(authority.minos)
    await entered.settled()
    assert entered.got == []


async def test_the_reply_of_a_read_writes_into_no_stream_and_asks_for_nothing(
    authority: Authority, hostile: tuple[ClientId, Entered]
) -> None:
    """In one account the answer would be stored where `reply` says (nats-server#8274 is the same with a consumer)."""
    _, entered = hostile
    await authority.minos.jetstream().publish("sig.v1.access.user.1", b'{"seq":1}')  # as if a signal could be a request itself
    overheard: list[str] = []

    async def hear(message: Any) -> None:
        overheard.append(message.subject)

    before = await kept(authority)
    ear = await authority.minos.subscribe(">", cb=hear)
    await settled(authority.minos)
    for reply in NOT_TO_BE_SAID:
        await entered.client.publish("$JS.API.DIRECT.GET.SIG_ACCESS", b'{"seq":1,"batch":5}', reply=reply)
    await entered.settled()
    await settled(authority.minos)
    await ear.unsubscribe()
    assert await kept(authority) == before
    assert {subject for subject in overheard if not subject.startswith("_R_.")} == {"$JS.API.DIRECT.GET.SIG_ACCESS"}
    assert entered.got == []


async def test_what_others_can_be_made_to_hear_is_a_stored_signal_that_says_it_is_one(
    authority: Authority, enter: Enter, hostile: tuple[ClientId, Entered]
) -> None:
    """The server delivers an answer to whatever subject was asked for. It carries no `Minos-Sequence`, so a subscriber drops it."""
    _, entered = hostile
    await authority.minos.jetstream().publish("sig.v1.access.user.1", b"stored")
    other = await authority.service("minos.signals.access")
    victim = await enter(name=other, token=await authority.token(other))
    headers: list[dict[str, str]] = []

    async def hear(message: Any) -> None:
        headers.append(dict(message.headers or {}))

    await victim.client.subscribe("live.v1.access.>", cb=hear)
    await victim.settled()
    asked = b'{"last_by_subj":"sig.v1.access.user.1"}'
    await entered.client.publish("$JS.API.DIRECT.GET.SIG_ACCESS", asked, reply="live.v1.access.heartbeat")
    async with asyncio.timeout(5):
        while not headers:
            await asyncio.sleep(0.01)
    assert [(h["Nats-Stream"], "Minos-Sequence" in h) for h in headers] == [("SIG_ACCESS", False)]


async def test_it_reads_the_roles_of_its_audience_and_of_no_other(authority: Authority, enter: Enter) -> None:
    me = await authority.service("minos.signals.roles.shop")
    entered = await enter(name=me, token=await authority.token(me))
    await entered.subscribe(INBOX.format(me=me))
    for subject in ("sig.v1.roles.shop.1", "sig.v1.role_map.till.1", "sig.v1.access.user.1"):
        await authority.minos.jetstream().publish(subject, subject.encode())
    for stream in ("SIG_ROLES_shop", "SIG_ROLES_till", "SIG_ACCESS", "MINOS_EVENTS"):
        await entered.client.publish(f"$JS.API.DIRECT.GET.{stream}", b'{"seq":1,"batch":100}', reply=INBOX.format(me=me))
    for subject in ("live.v1.roles.till.>", "live.v1.access.>", "live.v1.roles.*.>", "live.v1.roles.>"):
        await entered.subscribe(subject)
    await entered.told(7)
    async with asyncio.timeout(5):
        while not any(body == b"" for _, body in entered.got):  # the end of the batch
            await asyncio.sleep(0.01)
    assert {body for _, body in entered.got} == {b"sig.v1.roles.shop.1", b""}


async def test_it_brings_no_more_than_a_signals_weight(hostile: tuple[ClientId, Entered]) -> None:
    _, entered = hostile
    await entered.client.publish("$JS.API.DIRECT.GET.SIG_ACCESS", b"x" * 65_537)
    async with asyncio.timeout(5):
        while not entered.client.is_closed:
            await asyncio.sleep(0.01)
