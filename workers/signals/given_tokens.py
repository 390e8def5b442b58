"""Service tokens that were given and have not ended, by audience: what an audience's new rules may refuse."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from adapters.postgres import Link
from adapters.postgres_sql import statements
from domain.audience import BUILT_IN, honours
from domain.event import Event
from domain.ids import AudienceName, ClientId, TokenId
from domain.machine_token import ServiceTokenIssued, TokenRevoked
from domain.permission import Permission
from domain.signals.changes import AudienceRuled
from domain.signals.telling import GivenToken

SQL = statements(Path(__file__).with_suffix(".sql"))


class GivenTokens:
    """Everything here raises StoreUnavailable. For one caller at a time."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def audiences(self) -> Sequence[AudienceName]:
        """Give those that any is for."""
        return [AudienceName(row[0]) for row in await self._link.read(SQL["audiences"])]

    async def refused(self, by: AudienceRuled, limit: int) -> Sequence[GivenToken]:
        """Give the first of those that an audience honours no more; all of them, unless there are as many as were asked for.

        Many are alike in all that it goes by: which of these it honours is asked of the rules themselves, and only then for the tokens.
        """
        alike = [(ClientId(row[0]), row[1]) for row in await self._link.read(SQL["alike"], by.audience)]
        refused = [(client_id, scope) for client_id, scope in alike if not honours(by.now, client_id, _permissions(scope))]
        if not refused:
            return []
        clients, scopes = zip(*refused, strict=True)
        rows = await self._link.read(SQL["of"], by.audience, clients, scopes, limit)
        return [
            GivenToken(
                token_id=TokenId(row["token_id"]),
                client_id=ClientId(row["client_id"]),
                audience=by.audience,
                permissions=_permissions(row["scope"]),
                expires_at=row["expires_at"],
            )
            for row in rows
        ]


def kept(events: Iterable[Event], ended_by: float) -> tuple[Sequence[GivenToken], Sequence[TokenId]]:
    """Give the tokens of these events that rules may refuse later, and those that are over."""
    given: list[GivenToken] = []
    over: list[TokenId] = []
    for event in events:
        if isinstance(event, ServiceTokenIssued) and event.audience not in BUILT_IN and event.expires_at.timestamp() > ended_by:
            given.append(_given(event))
        if isinstance(event, TokenRevoked):
            over.append(event.token_id)
    return given, over


def columns(tokens: Iterable[GivenToken]) -> Sequence[Sequence[object]]:
    """Give what the fold keeps of each, column by column."""
    rows = [(token.token_id, token.client_id, token.audience, " ".join(token.permissions), token.expires_at) for token in tokens]
    return list(zip(*rows, strict=True)) or [()] * 5


def _given(event: ServiceTokenIssued) -> GivenToken:
    return GivenToken(
        token_id=event.token_id,
        client_id=event.client_id,
        audience=event.audience,
        permissions=event.permissions,
        expires_at=event.expires_at,
    )


def _permissions(scope: str) -> tuple[Permission, ...]:
    return tuple(Permission(each) for each in scope.split())
