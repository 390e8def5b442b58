"""What stands beside the log: an epoch that nothing began, tiles, times and checkpoints of what there is not. Nobody else looks at these
rows, and some are served."""

from domain.tree.nodes import TILE_WIDTH
from workers.audit.announced import Announced
from workers.audit.findings import Finding, Findings, Kind
from workers.audit.reading import LogSource


async def check_beyond(source: LogSource, epoch: int, said: Announced, findings: Findings) -> None:
    """`epoch`: as it was before `said` was read: one may begin meanwhile. Raises what asyncpg does."""
    newest, (_, now) = max((opened for opened, _ in said.opened), default=1), await source.size()
    if (epoch > newest or now < newest) and not said.detached:  # what began it may lie elsewhere
        words = f"the log is in epoch {now}, and says that it began epoch {newest} last"
        findings.add(Finding(kind=Kind.POSITIONS_BROKEN, words=words, epoch=now))
    tiles, times, checkpoints = await source.beyond()
    for level, tile in tiles:
        words = f"tile {tile} of level {level} is of entries that there are not"
        findings.add(Finding(kind=Kind.TILE_CHANGED, words=words, tile=(level, tile)))
    for tile in times:
        words = f"a time is stored for tile {tile}, of entries that there are not"
        findings.add(Finding(kind=Kind.TIME_DIFFERS, words=words, position=(tile + 1) * TILE_WIDTH))
    for of, size in checkpoints:
        words = f"the checkpoint at size {size} is filed under epoch {of}, which there is not"
        findings.add(Finding(kind=Kind.CHECKPOINT_BROKEN, words=words, size=size, epoch=of))
