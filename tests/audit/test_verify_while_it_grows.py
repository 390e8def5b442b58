"""A log that goes on while `minos audit verify` reads it: no finding comes of that, and no end in the middle."""

import pytest

from domain.tree.nodes import TILE_WIDTH
from tests.audit.conftest import SIZE, Audited
from workers.audit.reading import LogSource


@pytest.mark.parametrize("size", [1, TILE_WIDTH - 1, TILE_WIDTH + 44, SIZE - 1])
async def test_a_tile_that_became_full_meanwhile(audited: Audited, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    async def earlier(_: LogSource) -> tuple[int, int]:
        return size, 1

    async def covered(_: LogSource) -> int:
        return size

    monkeypatch.setattr(LogSource, "size", earlier)
    monkeypatch.setattr(LogSource, "covered", covered)
    report = await audited.verify(second_place=None)
    assert (report.findings, report.size) == ((), size)
