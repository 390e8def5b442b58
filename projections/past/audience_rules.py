"""What audiences asked of whom at a position, folded from their streams: there are few audiences, and they seldom change."""

from collections.abc import Iterable, Mapping
from typing import Any

from domain import audience
from domain.audience import BUILT_IN, Audience, Undefined
from domain.codec import decode_event
from domain.ids import AudienceName
from projections.past.rights import rights
from projections.reading import ReadModels
from projections.sql import beside

_SQL = beside(__file__)


async def rules_at(models: ReadModels, names: Iterable[AudienceName], position: int) -> Mapping[AudienceName, Audience]:
    """Give each audience as it was; one that was not there yet is undefined."""
    wanted = frozenset(names)
    streams = {audience.stream(name): name for name in wanted - BUILT_IN.keys()}
    found: dict[AudienceName, Audience] = {name: BUILT_IN.get(name, Undefined()) for name in wanted}
    if not streams:
        return found
    for record in await models.fetch(rights, _SQL["read"], list(streams), position):
        name = streams[record["stream"]]
        event: Any = decode_event(record["type"], record["payload"])
        found[name] = audience.decider.fold([event], found[name])
    return found
