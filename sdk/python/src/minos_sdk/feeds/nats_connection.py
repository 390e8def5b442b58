"""One connection to NATS, subscribed to what one audience needs, for as long as its token lives."""

import asyncio
import logging
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Self

from minos_sdk.feeds.nats_login import Entry, Login
from minos_sdk.feeds.nats_servers import Servers
from minos_sdk.feeds.reading import Reading
from minos_sdk.feeds.snapshots import UNANSWERED
from minos_sdk.jws import Malformed
from minos_sdk.receiver import ACCESS, Receiver
from minos_sdk.signal_sets import Beat
from minos_sdk.trouble import words

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg

log = logging.getLogger("minos_sdk")
_STEP_S = 3
_CLOSE_S = 1.0
_SILENT_S = 10.0
"""After so long without a heartbeat another connection is tried: this one may be dead, or see nothing."""
_MOST_WAITING, _MOST_WAITING_BYTES = 16_384, 16 * 2**20
"""Of one subject's messages. What comes beyond is missing, and asked for."""
_MARGIN_S = 60.0
_AGAIN_S = 0.5


class Lost(OSError):
    """The server is away, refuses, or went."""


class Refused(Lost):
    """The server says no to who comes: the token may be over before its time."""


class NotYet(Lost):
    """The server has said neither yes nor no in the time it was given."""


class Connection:
    """Open from the start, until it is lost or closed."""

    def __init__(self, client: "Client", servers: Servers, entry: Entry, receiver: Receiver, readings: Mapping[str, Reading]) -> None:
        self._client = client
        self._servers = servers
        self._receiver = receiver
        self._readings = readings
        self._over = asyncio.Event()
        self._complaint: str | None = None
        self._heard_at = receiver.monotonic()
        self._renew_at = None if entry.lasts is None else _renewal(entry.lasts) + receiver.monotonic()
        self._readers: list[asyncio.Task[None]] = []

    @classmethod
    async def open(cls, servers: Servers, login: Login, receiver: Receiver, readings: Mapping[str, Reading], patience: float) -> Self:
        """Connect within `patience` seconds, subscribe, and only then begin to read: what happens between the two is heard. Raises Lost."""
        from nats.aio.client import Client

        try:
            entry = await login.entry()
        except Malformed:
            raise Lost("no access token") from None
        except UNANSWERED:
            raise
        except Exception as error:  # it is the service's own, and raises what it likes: the connection there is goes on
            raise Lost(f"the token source raised {type(error).__name__}") from error
        client = Client()
        connection = cls(client, servers, entry, receiver, readings)
        try:
            with told_as_lost():
                await connection._enter_within(patience, entry)
        except Lost as lost:
            await _closed(client)
            raise type(lost)(connection._complaint or str(lost)) from lost
        except BaseException:
            await _closed(client)
            raise
        for reading in readings.values():
            reading.begin()
            connection._readers.append(asyncio.create_task(connection._read(reading)))
        return connection

    async def _enter_within(self, patience: float, entry: Entry) -> None:
        try:
            async with asyncio.timeout(patience):  # nats-py bounds each step alone
                await self._enter(entry)
        except TimeoutError:
            raise NotYet("no answer") from None
        if not self._client.is_connected:  # a server that has not decided yet asks whether we are there, which nats-py takes for a yes
            raise NotYet("not let in yet")
        for subject in _subjects(self._receiver.audience):
            await self._client.subscribe(  # pyright: ignore[reportUnknownMemberType]  # nats-py: a bare Future
                subject, cb=self._heard, pending_msgs_limit=_MOST_WAITING, pending_bytes_limit=_MOST_WAITING_BYTES
            )
        async with asyncio.timeout(_STEP_S):
            while self._client.pending_data_size:  # nats-py's flush asks at once, before what still waits to be sent
                await asyncio.sleep(0.001)
        await self._client.flush(timeout=_STEP_S)

    async def _enter(self, entry: Entry) -> None:
        await self._client.connect(
            servers=list(self._servers.urls),
            name=entry.name,
            token=self._kept_private(entry.token),
            user=entry.user,
            password=self._kept_private(entry.password),
            inbox_prefix=f"_INBOX_{entry.name}".encode(),
            allow_reconnect=False,
            max_reconnect_attempts=1,
            reconnect_time_wait=0,
            connect_timeout=_STEP_S,
            ping_interval=5,
            max_outstanding_pings=2,
            closed_cb=self._ended,
            error_cb=self._complain,
            tls=self._servers.tls,
        )

    def _kept_private(self, secret: str | None) -> Callable[[], str] | None:
        """Give what nats-py asks for the secret, right before it would send it.

        Whether to use TLS, a client of NATS is told by the server, or by whoever is in between: `tls://` changes nothing about that.
        """
        if secret is None:
            return None

        def shown() -> str:
            told = self._client._server_info  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # said nowhere else
            if self._servers.need_tls and not told.get("tls_required"):
                log.warning("NATS does not offer TLS: the credential is not sent")
                raise Lost("no TLS")
            return secret

        return shown

    @property
    def is_open(self) -> bool:
        return not self._over.is_set()

    async def until_due(self) -> None:
        """Wait until this connection is lost, or another has to take its place."""
        while self.is_open:
            now = self._receiver.monotonic()
            due = self._heard_at + _SILENT_S
            due = due if self._renew_at is None else min(due, self._renew_at)
            if now >= due:
                self._heard_at = now
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(due - now):
                    await self._over.wait()

    async def close(self) -> None:
        self._over.set()
        for reader in self._readers:
            reader.cancel()
        await asyncio.gather(*self._readers, return_exceptions=True)
        await _closed(self._client)

    async def _heard(self, message: "Msg") -> None:
        if "Nats-Stream" in (message.headers or {}):  # a stored one, which somebody who may read it had sent here
            return
        text = message.data.decode(errors="replace")
        copied = self._readings.get(_class_copied(message.subject))
        if copied is not None and copied.knows(text):
            return
        told = await self._receiver.signal(text)
        if isinstance(told, Beat):
            self._heard_at = self._receiver.monotonic()
            if (reading := self._readings.get(told.newest.of_class)) is not None:
                reading.beat(told)
        elif told is not None and told.place is not None and (reading := self._readings.get(told.place.of_class)) is not None:
            reading.saw(told.place)

    async def _read(self, reading: Reading) -> None:
        """What could not be read is wanted again with the next heartbeat that knows of more."""
        while True:
            await reading.wanted.wait()
            try:
                with told_as_lost():
                    await reading.read(self._client)
            except Lost as lost:
                log.info("signals could not be read: %s", lost)
            except Exception:  # whatever it is, what is missing has to be read: nobody else does
                log.exception("signals could not be read")
            else:
                continue
            reading.wanted.set()
            await asyncio.sleep(_AGAIN_S)

    async def _ended(self) -> None:
        self._over.set()

    async def _complain(self, error: Exception) -> None:
        """Before anybody was let in, it is why: whoever opens the connection says so."""
        if self._client.is_connected:
            log.warning("NATS: %s", error)
        else:
            self._complaint = words(error)


@contextmanager
def told_as_lost() -> Generator[None]:
    """Turn what nats-py raises into Lost. It is imported late: the package does without it."""
    from nats.errors import Error

    try:
        yield
    except Lost:
        raise
    except (Error, OSError, ValueError) as error:
        kind = Refused if "authorization" in str(error).lower() else Lost
        raise kind(type(error).__name__) from error


def _subjects(audience: str) -> tuple[str, ...]:
    roles, role_map = f"roles.{audience}", f"role_map.{audience}"
    heard = [f"{way}.v1.{what}.>" for way in ("live", "hint") for what in (ACCESS, roles)]
    return *heard, f"live.v1.{role_map}.>"


def _class_copied(subject: str) -> str:
    """Name the class whose signals are copied to a subject; of hints and heartbeats it is none."""
    way, _, kind, *of = subject.split(".")[:4]
    if way != "live" or subject.endswith(".heartbeat"):
        return ""
    return ACCESS if kind == ACCESS else f"roles.{of[0]}"


def _renewal(life: float) -> float:
    """Seconds from now: well before the end, which is a minute for long lives."""
    return max(life - min(_MARGIN_S, life / 3), 1.0)


async def _closed(client: "Client") -> None:
    """Close, without waiting long for a server that is not there, or with which no TLS came about: nats-py would wait for ever."""
    with suppress(Exception):  # whatever it is, the connection is given up
        async with asyncio.timeout(_CLOSE_S):
            await client.close()
