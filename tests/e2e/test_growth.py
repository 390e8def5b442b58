"""An authority that was filled is as one to which people came one by one, and growth is measured on it. How fast, is not asked here."""

import json
import shutil
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from bench.growth import page
from bench.growth.calls import CALLS
from bench.growth.filling import fill
from bench.growth.lives import EVENTS_EACH
from bench.growth.measuring import FULL, QUICK, Measured, measure
from bench.load import driven
from bench.report import Circumstances, circumstances
from bench.running import Running
from docs.generator import sizing
from docs.generator.measured import REFERENCE
from tests.e2e.conftest import RAISED_LIMITS, SMALL
from tests.seldom import seldom

PEOPLE = 80


def test_what_was_measured_is_written_as_a_page_a_picture_and_json(tmp_path: Path) -> None:
    published = json.loads((REFERENCE / "growth.json").read_text())
    sizes = msgspec.convert(published["sizes"], list[Measured])
    page.write(tmp_path, sizes, FULL, msgspec.convert(published["circumstances"], Circumstances))
    assert json.loads((tmp_path / "growth.json").read_text())["sizes"] == published["sizes"]
    assert (tmp_path / "growth.svg").read_text().startswith("<svg")
    assert "# Growth" in (tmp_path / "growth.md").read_text()


@seldom
@pytest.mark.timeout(180)
async def test_who_was_filled_in_signs_in_and_the_audit_finds_nothing(own_folder: Path) -> None:
    running = Running(own_folder / "one", log_level="warning", **SMALL, **RAISED_LIMITS)
    filled = await fill(running, PEOPLE, lambda _: None)
    assert filled.events > PEOPLE * EVENTS_EACH
    (size,) = await measure([(filled, running)], replace(QUICK, seconds=0.1, verified_up_to=PEOPLE), lambda _: None, by=driven)
    assert set(size.calls) == {call.key for call in CALLS}
    assert all(answered.p50_ms > 0 for answered in size.calls.values())
    assert "nothing is wrong" in size.verified
    page.write(own_folder / "out", [size], QUICK, circumstances(quick=True))
    assert json.loads((own_folder / "out" / "growth.json").read_text())["sizes"][0]["users"] == PEOPLE
    assert (own_folder / "out" / "growth.svg").read_text().startswith("<svg")
    shutil.copy(REFERENCE / "benchmarks.json", own_folder / "out")
    assert "## Disk and memory" in sizing.page(own_folder / "out")
