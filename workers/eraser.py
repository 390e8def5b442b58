"""Carries out an erasure that has begun, as far as it can go now; it is called again until it is completed.

The order is what makes it safe to be killed anywhere. First the list of the erased outside the database, so that whatever is restored
from before knows; then the receipt and the keys, after which nothing can be read; then what is left lying about; at last the word that it
is over. Nothing is begun before read models know of everything that is the person's, and before their last mail has gone.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import asyncpg
import msgspec
import structlog

from adapters.mailbox import MailBoxes
from adapters.postgres_sql import statements
from adapters.second_place import PlaceAway
from commands.context import Context
from commands.forget_person import complete_erasure, forget_keys, forget_person, forget_sessions
from commands.list_erased import entry_of
from commands.ports import ErasedNames, Ports
from commands.put_off_erasure import erasure_of
from commands.transact import read_states
from domain import api_key, erasure, session, user
from domain.erasure import Begun
from domain.ids import InvitationId, SessionId, UserId
from domain.user import User
from projections import api_keys, audiences, invitations, session_searches, sessions
from projections.reading import ReadModels
from workers.leftovers import leftovers

T = TypeVar("T")
SQL = statements(Path(__file__).with_suffix(".sql"))

FAREWELL_SECONDS = 3_600
"""How long the mail that it has begun may take to go. After that the address is forgotten without."""
AT_ONCE = 50
"""Streams that are forgotten in one append."""
PAGE = 200
_FIRST = SessionId(UUID(int=0))

log = structlog.stdlib.get_logger()


class Eraser:
    """For one pass over what is unfinished. Any number may run: what two do at once is done once."""

    def __init__(
        self,
        ports: Ports,
        models: ReadModels,
        pool: "asyncpg.Pool[asyncpg.Record]",
        listed: ErasedNames,
        boxes: MailBoxes,
        *,
        destroyed: Callable[[], None] = lambda: None,
    ) -> None:
        """`destroyed` is called once keys are: for whoever remembers some. It must be quick, and not raise."""
        self._ports = ports
        self._models = models
        self._pool = pool
        self._list = listed
        self._boxes = boxes
        self._destroyed = destroyed

    async def erase(self, user_id: UserId, ctx: Context) -> bool:
        """Go as far as it goes. True once it is completed by this. Raises StoreUnavailable."""
        read = await read_states(self._ports, [erasure_of(user_id), (user.decider, user.stream(user_id))])
        begun = read.state(*erasure_of(user_id))
        if not isinstance(begun, Begun) or not await self._is_ready(user_id, begun):
            return False
        accepted = tuple(await invitations.accepted_by(self._models, user_id))
        is_listed = await self._enter(user_id, begun, read.state(user.decider, user.stream(user_id)), accepted)
        if not await forget_person(user_id, accepted, ctx, self._ports):
            return False
        self._destroyed()
        await self._forget_sessions(user_id, ctx)
        await self._forget_keys(user_id, ctx)
        await self._purge(user_id)
        left = await leftovers(user_id, self._models, self._pool, self._ports)
        if not is_listed or not left.is_nothing:
            log.info("erasure_goes_on", user_id=str(user_id), reason="something_is_left" if is_listed else "second_place_away")
            return False
        return await complete_erasure(user_id, await audiences.of_people(self._models), ctx, self._ports)

    async def _is_ready(self, user_id: UserId, begun: Begun) -> bool:
        """Whether read models have come to where it began, and its last mail is not still waiting."""
        stream = erasure.stream(user_id)
        (head,) = (await self._ports.store.load([stream])).heads
        for projection in (sessions.sessions, api_keys.api_keys, invitations.invitations):
            if not await self._models.wait_for(projection, stream, head.version, timeout_ms=0):
                return False
        return begun.again or not await self._pool.fetchval(SQL["farewell_waits"], user_id, stream, FAREWELL_SECONDS)

    async def _enter(self, user_id: UserId, begun: Begun, state: User, accepted: tuple[InvitationId, ...]) -> bool:
        """Put it on the list; False where the place cannot be reached: the rest need not wait for that."""
        try:
            await self._list.enter(entry_of(user_id, begun, state, accepted))
        except PlaceAway as away:
            log.warning("second_place_away", reason=str(away))
            return False
        return True

    async def _forget_sessions(self, user_id: UserId, ctx: Context) -> None:
        after = _FIRST
        while found := await session_searches.all_of(self._models, user_id, after=after, limit=PAGE):
            after = found[-1]
            # First what only their rows lead to: those are gone once the projector has come by.
            await self._pool.execute(SQL["forget_uses"], [session.stream(each) for each in found])
            for some in _parts(found):
                await forget_sessions(user_id, some, ctx, self._ports)

    async def _forget_keys(self, user_id: UserId, ctx: Context) -> None:
        found = await api_keys.all_of(self._models, user_id)
        await self._pool.execute(SQL["forget_uses"], [api_key.stream(each) for each in found])
        for some in _parts(found):
            await forget_keys(user_id, some, ctx, self._ports)

    async def _purge(self, user_id: UserId) -> None:
        """Delete what is theirs outside the log, in any table."""
        counted = [self._ports.macs.login_name(f"{kind}:{user_id}") for kind in ("account", "factor", "user")]
        await self._pool.execute(SQL["forget_answers"], f"user:{user_id}")
        for name in ("forget_attempts", "forget_mail"):
            await self._pool.execute(SQL[name], user_id)
        for name in ("forget_counters", "forget_facts", "forget_networks"):
            await self._pool.execute(SQL[name], counted)
        pending = [
            record["pending_id"]
            for record in await self._pool.fetch(SQL["pending"])
            if _is_of(user_id, self._boxes.open(record["content"], record["pending_id"]))
        ]
        await self._pool.execute(SQL["forget_pending"], pending)


class _Pending(msgspec.Struct):
    user_id: UUID | None = None


def _is_of(user_id: UserId, content: str | None) -> bool:
    return content is not None and msgspec.json.decode(content, type=_Pending).user_id == user_id


def _parts(ids: Sequence[T]) -> list[Sequence[T]]:
    return [ids[start : start + AT_ONCE] for start in range(0, len(ids), AT_ONCE)]
