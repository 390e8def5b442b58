"""Answers NATS servers that ask who a connection is: a service account, by its access token for `nats`, may read its signals there."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from adapters.access_tokens import AccessTokenVerifier
from adapters.nats_callout import SERVER_KEY, SUBJECT, Callout, ConnectionRequest, Unreadable
from adapters.nats_rights import rights
from api.metrics import NATS_CONNECTIONS, labelled
from commands.machines import identify_machine
from commands.ports import Ports
from domain.audience import NATS
from domain.errors import InvalidToken, PermissionDenied, Refused
from domain.ids import AudienceName, ClientId
from domain.permission import allows
from domain.signal_rights import ACCESS_SIGNALS, role_audiences

QUEUE = "minos-callout"
"""The API processes share the requests: the server gives each to one of them."""
MOST_AT_ONCE = 64
MOST_WAITING = 1_024
"""As after a restart of NATS, when every service comes back. Further ones are not answered, which the server takes for a no in the end."""
ANSWER_SECONDS = 4.0
"""The server asks for 5 (`authorization { timeout }`)."""
LONGEST_CONNECTION = 300
"""Seconds. A revoked service account is out by then at the latest, whatever its token still had before it (threats.md 13)."""
MOST_NAMED = 8
"""Audiences in a line of the log: there may be a thousand."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Door:
    """What it takes to know who knocks. `audiences`: those there are, asked only for whoever has a pattern of permissions."""

    wire: Callout
    tokens: AccessTokenVerifier
    ports: Ports
    audiences: Callable[[], Awaitable[Collection[AudienceName]]]


class Answering:
    """Hears requests on one connection and answers them side by side."""

    def __init__(self, client: Client, door: Door) -> None:
        self._client = client
        self._door = door
        self._room = asyncio.Semaphore(MOST_AT_ONCE)
        self._under_way: set[asyncio.Task[None]] = set()

    async def begin(self) -> None:
        """Hear from now on, over reconnects, until the client is closed. It has to be connected."""
        await self._client.subscribe(SUBJECT, queue=QUEUE, cb=self._heard, pending_msgs_limit=MOST_WAITING)  # pyright: ignore[reportUnknownMemberType] - nats-py leaves the result of its future untyped

    async def close(self) -> None:
        """Let what is under way end, for as long as its server would wait."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=ANSWER_SECONDS)

    async def _heard(self, message: Msg) -> None:
        await self._room.acquire()  # meanwhile the client keeps what comes, within bounds
        task = asyncio.create_task(self._answer(message), name="callout")
        self._under_way.add(task)
        task.add_done_callback(self._answered)

    def _answered(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._room.release()

    async def _answer(self, message: Msg) -> None:
        try:
            asked = self._door.wire.read(message.data, (message.headers or {}).get(SERVER_KEY, ""))
            await self._client.publish(message.reply, await answer_to(asked, self._door))
        except Unreadable as bad:
            _count("unreadable")
            log.warning("nats_request_unreadable", reason=str(bad))
        except (NatsError, OSError) as error:  # the server has gone, and its question with it
            log.warning("nats_error", error_type=type(error).__name__)


async def answer_to(asked: ConnectionRequest, door: Door) -> bytes:
    """Say yes with what may be done, or no. Never raises."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            answer = await _admitted(asked, door)
    except Refused as no:
        _count(no.code)
        log.info("nats_client_refused", code=no.code)
    except Exception as error:  # the edge of one question: whatever fails, the answer is no, and the process goes on
        _count("failed")
        log.exception("nats_client_refused", exc_info=error)
    else:
        _count("let_in")
        return answer
    return door.wire.refuse(asked)


async def _admitted(asked: ConnectionRequest, door: Door) -> bytes:
    """Raises InvalidToken, PermissionDenied where there is nothing it may read, StoreUnavailable."""
    if asked.token is None:
        raise InvalidToken
    claims = await door.tokens.verify(asked.token.reveal(), audiences={NATS})
    until = min(claims.exp, asked.asked_at + LONGEST_CONNECTION)
    if until <= asked.asked_at:
        raise InvalidToken
    held = (await identify_machine(claims, door.ports)).permissions
    known = await door.audiences() if any("*" in permission for permission in held) else ()
    name, access, audiences = ClientId(claims.sub), allows(held, ACCESS_SIGNALS), role_audiences(held, known)
    granted = rights(name, access=access, audiences=audiences)
    if not granted.publish:
        raise PermissionDenied
    named = ",".join(audiences[:MOST_NAMED])
    log.info("nats_client_let_in", client_id=name, audience=named, audiences=len(audiences), seconds=until - asked.asked_at)
    return door.wire.let_in(asked, name=name, rights=granted, until=until)


def _count(outcome: str) -> None:
    labelled(NATS_CONNECTIONS, outcome).inc()
