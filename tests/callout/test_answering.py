"""The API as the one who is asked: shared among processes, in private, over restarts, and never more than it can bear."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error

from adapters.access_tokens import AccessTokenVerifier
from adapters.nats_callout import SERVER_KEY, SUBJECT, Callout, ConnectionRequest
from adapters.nats_client import NatsConnection, settled
from api.callout import MOST_AT_ONCE, Answering
from commands.ports import AccessClaims
from domain.errors import StoreUnavailable
from tests.callout.conftest import Authority, Enter

ACCESS = "minos.signals.access"


class Counting(Callout):
    """Counts the questions it reads."""

    def __init__(self, other: Callout) -> None:
        self._other = other
        self.read_ = 0

    def read(self, data: bytes, server_key: str) -> ConnectionRequest:
        self.read_ += 1
        return self._other.read(data, server_key)

    def let_in(self, *args: Any, **more: Any) -> bytes:
        return self._other.let_in(*args, **more)


async def test_processes_share_the_questions_and_one_that_ends_takes_none_with_it(authority: Authority, enter: Enter) -> None:
    wire = Counting(authority.door.wire)
    second = NatsConnection(authority.server.url, credentials=authority.server.credentials)
    await second.connect()
    answering = Answering(second.client, replace(authority.door, wire=wire))
    await answering.begin()
    await settled(second.client)
    shop = await authority.service(ACCESS)
    token = await authority.token(shop)
    for _ in range(30):
        await enter(name=shop, token=token)
    assert 0 < wire.read_ < 30
    await second.client.drain()
    await answering.close()
    for _ in range(5):
        await enter(name=shop, token=token)


async def test_who_listens_on_the_account_sees_neither_question_nor_answer(authority: Authority, enter: Enter) -> None:
    seen: list[Msg] = []

    async def see(message: Msg) -> None:
        seen.append(message)

    spies = [await authority.minos.subscribe(subject, cb=see) for subject in (SUBJECT, "_INBOX.>", "$SYS.>", ">")]
    await settled(authority.minos)
    shop = await authority.service(ACCESS)
    token = await authority.token(shop)
    await enter(name=shop, token=token)
    await settled(authority.minos)
    for spy in spies:
        await spy.unsubscribe()
    [asked, *_] = [message for message in seen if message.subject == SUBJECT]
    assert (asked.data[:4], SERVER_KEY in (asked.headers or {})) == (b"xkv1", True)
    parts = token.split(".")
    assert not any(part in (authority.server.home / "nats.log").read_text() for part in parts)
    assert not any(part.encode() in message.data for message in seen for part in (*parts, shop))


async def test_services_come_back_after_nats_was_killed(authority: Authority, enter: Enter) -> None:
    shop = await authority.service(ACCESS)
    token = await authority.token(shop)
    await enter(name=shop, token=token)
    await authority.server.kill()
    await authority.server.start()
    async with asyncio.timeout(15):
        while True:
            try:
                entered = await enter(name=shop, token=token, connect_timeout=1)
            except (Error, OSError, TimeoutError):
                continue
            break
    await entered.subscribe("live.v1.access.>")
    await entered.told(0)


class Failing(AccessTokenVerifier):
    """Stands for whatever goes wrong while a token is looked at."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def verify(self, token: str, *, audiences: Any) -> AccessClaims:
        raise self._error


@pytest.mark.parametrize("error", [StoreUnavailable(), RuntimeError("a defect of ours"), TimeoutError()], ids=repr)
async def test_whatever_goes_wrong_the_answer_is_no(authority: Authority, error: Exception) -> None:
    broken = replace(authority, door=replace(authority.door, tokens=Failing(error)))
    assert (await broken.answer(auth_token="any"))["nats"]["error"] == "not authorized"


class Waiting(AccessTokenVerifier):
    """Looks at tokens when it is told to."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.asked = 0

    async def verify(self, token: str, *, audiences: Any) -> AccessClaims:
        self.asked += 1
        await self.go.wait()
        raise StoreUnavailable


class Outlet(Client):
    """Where answers go."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[str] = []

    async def publish(self, subject: str, payload: bytes = b"", reply: str = "", headers: dict[str, Any] | None = None) -> None:
        self.answers.append(subject)


async def test_a_flood_of_questions_is_worked_off_so_many_at_a_time(authority: Authority) -> None:
    outlet, waiting = Outlet(), Waiting()
    answering = Answering(outlet, replace(authority.door, tokens=waiting))
    asked = authority.asking.asks(authority.asking.claims(auth_token="any"))
    names = [str(number) for number in range(MOST_AT_ONCE + 5)]

    async def flood() -> None:
        for name in names:
            await answering._heard(Msg(outlet, SUBJECT, name, asked, {SERVER_KEY: authority.asking.curve}))

    flooding = asyncio.create_task(flood())
    while waiting.asked < MOST_AT_ONCE:
        await asyncio.sleep(0)
    for _ in range(10):
        await asyncio.sleep(0)
    assert waiting.asked == MOST_AT_ONCE
    waiting.go.set()
    await flooding
    await answering.close()
    assert sorted(outlet.answers) == sorted(names)


async def test_what_nobody_can_read_is_passed_over(authority: Authority) -> None:
    outlet = Outlet()
    answering = Answering(outlet, authority.door)
    asked = authority.asking.asks(authority.asking.claims())
    for name, data, headers in (("1", b"nonsense", None), ("2", b"", {}), ("3", asked, {SERVER_KEY: authority.asking.curve})):
        await answering._heard(Msg(outlet, SUBJECT, name, data, headers))
    await answering.close()
    assert outlet.answers == ["3"]
