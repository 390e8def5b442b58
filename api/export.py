"""Everything that is known of a person, opened for them."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol, TypeVar

from msgspec import Struct

from api import views
from api.views import HistoryView, SessionView
from api.world import World
from commands.own_factors import FactorViews, list_factors
from commands.read_api_keys import ApiKeyView, read_keys_of
from commands.read_profile import Profile, read_profile
from domain.ids import SessionId, UserId
from projections import session_lists, user_history

T = TypeVar("T")
A = TypeVar("A")
T_co = TypeVar("T_co", covariant=True)
A_co = TypeVar("A_co", covariant=True)
PAGE = 200
MOST_SESSIONS, MOST_HISTORY = 1_000, 5_000
"""So many, the newest: what would take minutes is no request."""


class Export(Struct, frozen=True, kw_only=True):
    """`complete` is false where there were more sessions, or more happened, than are in it; what is newest is."""

    made_at: datetime
    profile: Profile
    factors: FactorViews
    api_keys: Sequence[ApiKeyView]
    sessions: Sequence[SessionView]
    history: Sequence[HistoryView]
    complete: bool

    def __repr__(self) -> str:
        return f"Export(profile={self.profile})"


async def export(user_id: UserId, current: SessionId | None, world: World) -> Export:
    """Raises NoSuchUser, StoreUnavailable."""
    models, ports = world.models, world.ports
    sessions, all_sessions = await _walk(lambda after: session_lists.of_user(models, user_id, after=after, limit=PAGE), MOST_SESSIONS)
    history, all_history = await _walk(lambda after: user_history.of_user(models, user_id, after=after, limit=PAGE), MOST_HISTORY)
    return Export(
        made_at=datetime.now(UTC),
        profile=await read_profile(user_id, ports),
        factors=await list_factors(user_id, ports),
        api_keys=await read_keys_of(user_id, ports),
        sessions=await views.sessions(sessions, ports, current),
        history=await views.own_history(history, ports.vault, user_id),
        complete=all_sessions and all_history,
    )


class _Page(Protocol[T_co, A_co]):
    @property
    def rows(self) -> Sequence[T_co]: ...
    @property
    def next_after(self) -> A_co | None: ...


async def _walk(page_after: Callable[[A | None], Awaitable[_Page[T, A]]], most: int) -> tuple[list[T], bool]:
    """Read pages until there are no more, or enough; whether that was all."""
    rows: list[T] = []
    after: A | None = None
    while len(rows) < most:
        found = await page_after(after)
        rows += found.rows
        after = found.next_after
        if after is None:
            return rows, True
    return rows, False
