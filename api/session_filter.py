"""End the sessions that a filter finds, a bounded number at a time; or only say which they would be."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from ipaddress import ip_network
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import replace

from api.asking import Asking
from api.client_address import Network, network_of
from api.refusals import Fault, ValidationFailed
from api.views import SessionView
from commands.context import Context
from commands.end_session import EndSession, end_session
from commands.ports import Ports
from commands.transact import spend_action
from domain.errors import NoSuchSession, NoSuchUser, PermissionDenied, RightsExceeded
from domain.ids import AudienceSlug, ClientSlug, SessionId, UserId
from domain.permission import Permission, allows
from domain.session_events import EndReason
from projections.session_searches import SessionFilter

EXAMINED = 200
SAMPLE = 20
AT_ONCE = 8
TO_SEE = Permission("minos.sessions.read")


class RevokeByFilter(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which live sessions: at least one selector, and all that are given must hold. `after` includes its time, `before` does not."""

    user_id: UserId | None = None
    audience: AudienceSlug | None = None
    client_id: ClientSlug | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    last_seen_after: datetime | None = None
    last_seen_before: datetime | None = None
    network: Annotated[str, Meta(min_length=1, max_length=64, description="An address or a network; lists show /24 or /48.")] | None = None
    user_agent_contains: Annotated[str, Meta(min_length=1, max_length=128)] | None = None
    suspicious: bool | None = None
    dry_run: bool = False
    """Only say which they are."""
    cursor: Annotated[str, Meta(max_length=2_048, description="`next_cursor` of the answer before.")] | None = None

    def __repr__(self) -> str:
        return f"RevokeByFilter(dry_run={self.dry_run})"

    @property
    def selectors(self) -> Mapping[str, object]:
        return {name: getattr(self, name) for name in self.__struct_fields__ if name not in {"dry_run", "cursor"}}

    def require_selector(self) -> None:
        """Raises ValidationFailed for a filter that would let everything through, or surely nothing."""
        if all(value is None for value in self.selectors.values()):
            raise ValidationFailed([Fault(pointer="", code="missing", detail="At least one selector is needed.")])
        if self.network is not None and _network(self.network) is None:
            raise ValidationFailed([Fault(pointer="/network", code="invalid", detail="This is neither an address nor a network.")])

    @property
    def narrowed(self) -> SessionFilter:
        """What the read model can look for; the rest is sealed, or known elsewhere."""
        return SessionFilter(
            user_id=self.user_id,
            audience=self.audience,
            client_id=self.client_id,
            created_after=self.created_after,
            created_before=self.created_before,
            suspicious=self.suspicious,
        )

    def holds_for(self, session: SessionView) -> bool:
        return (
            (self.last_seen_after is None or session.last_seen_at >= self.last_seen_after)
            and (self.last_seen_before is None or session.last_seen_at < self.last_seen_before)
            and (self.network is None or _lies_in(session.network, self.network))
            and (
                self.user_agent_contains is None
                or self.user_agent_contains.casefold() in (session.user_agent or "").casefold()
            )
        )  # fmt: skip


class Filtered(Struct, frozen=True, kw_only=True):
    """How far it came. Ask again with `next_cursor` until that is null; what was ended stays ended if you do not."""

    dry_run: bool
    examined: int
    matched: int
    ended: int
    refused: int
    """Of people who may do something that the caller may not; they are left alone."""
    sample: Sequence[SessionView]
    next_cursor: str | None


async def end_all(request: Asking, found: Sequence[SessionView]) -> tuple[int, int]:
    """End each, on the truth and under the rules of authority; give how many were ended and how many refused."""
    ended = refused = 0
    ctx, ports = request.context(), request.world.ports
    rest = list(found)
    while rest and ctx.action is not None:  # an action token is used up with the first that is ended
        done = await _end(rest.pop(0), ctx, ports)
        ended, refused = ended + (done is True), refused + (done is None)
        if done is True:
            ctx = replace(ctx, action=None)
    for begin in range(0, len(rest), AT_ONCE):
        results = await asyncio.gather(*(_end(each, ctx, ports) for each in rest[begin : begin + AT_ONCE]))
        ended, refused = ended + results.count(True), refused + results.count(None)
    await spend_action(ctx, ports)
    return ended, refused


def require_to_see(wanted: RevokeByFilter, permissions: Sequence[Permission]) -> bool:
    """Whether the answer may show sessions. Who may only end them gets none shown, nor learns by asking what is sealed in them.

    Raises PermissionDenied.
    """
    sees = allows(permissions, TO_SEE)
    asks = wanted.dry_run or wanted.network is not None or wanted.user_agent_contains is not None
    if asks and not sees:
        raise PermissionDenied
    return sees


async def _end(found: SessionView, ctx: Context, ports: Ports) -> bool | None:
    """True when it was ended, False when there was nothing to end any more, None when the caller may not."""
    command = EndSession(user_id=found.user_id, session_id=SessionId(found.session_id), reason=EndReason.ADMIN_FILTERED)
    try:
        return (await end_session(command, ctx, ports)).appended
    except RightsExceeded:
        return None
    except (NoSuchSession, NoSuchUser):
        return False


def _lies_in(seen: str | None, wanted: str) -> bool:
    known, outer = None if seen is None else _network(seen), _network(wanted)
    return known is not None and outer is not None and known.version == outer.version and _covers(outer, known)


def _covers(outer: Network, inner: Network) -> bool:
    return outer.prefixlen <= inner.prefixlen and inner.network_address in outer


def _network(text: str) -> Network | None:
    """Read an address or network, widened to what is kept of one: somebody's address stands for all of their network."""
    try:
        given = ip_network(text, strict=False)
    except ValueError:
        return None
    kept = network_of(str(given.network_address))
    shown = given if kept is None else ip_network(kept)
    return given if given.version == shown.version and given.prefixlen <= shown.prefixlen else shown
