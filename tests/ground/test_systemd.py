"""The units, as systemd reads them: it is not started here, and says what it makes of a unit all the same."""

import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).parents[2] / "deploy" / "systemd"
NAMES = sorted(path.name for path in UNITS.glob("*.service"))
MOST_EXPOSED = 15
"""Tenths, of 100: what `systemd-analyze security` calls OK begins at 20 or so, and a service without any of it has 96."""

pytestmark = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Of a machine that has the units and the program."""
    place = tmp_path / "etc" / "systemd" / "system"
    shutil.copytree(UNITS, place)
    for target in ("multi-user", "network-online", "sysinit", "basic", "shutdown"):
        (place / f"{target}.target").write_text("[Unit]\nDescription=There\n")
    for name in ("opt/minos/bin/minos", "usr/bin/kill"):
        program = tmp_path / name
        program.parent.mkdir(parents=True)
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    return tmp_path


def analyze(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["systemd-analyze", f"--root={root}", "--no-pager", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


def test_systemd_understands_every_line(root: Path) -> None:
    assert NAMES == ["minos-api.service", "minos-migrate.service", "minos-worker.service"]
    done = analyze(root, "verify", "--man=no", "--recursive-errors=no", *NAMES)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_line_it_does_not_understand_would_be_told(root: Path) -> None:
    common = root / "etc" / "systemd" / "system" / "minos-.service.d" / "common.conf"
    common.write_text(common.read_text() + "ProtectEverything=yes\n")
    assert "ProtectEverything" in analyze(root, "verify", "--man=no", "--recursive-errors=no", "minos-api.service").stderr


@pytest.mark.parametrize("name", NAMES)
def test_a_service_can_do_little_harm(root: Path, name: str) -> None:
    done = analyze(root, "security", "--offline=yes", f"--threshold={MOST_EXPOSED}", name)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", NAMES)
def test_each_has_the_secrets_it_needs_and_no_other(root: Path, name: str) -> None:
    """Every credential is named by one setting, and every setting that names one has it."""
    place = root / "etc" / "systemd" / "system"
    lines = ((place / name).read_text() + (place / "minos-.service.d" / "common.conf").read_text()).splitlines()
    loaded = {line.partition("=")[2].partition(":")[0] for line in lines if line.startswith("LoadCredential=")}
    named = {line.rpartition("%d/")[2] for line in lines if line.startswith("Environment=") and "%d/" in line}
    assert loaded == named
    assert ("owner-database-url" in loaded) == (name == "minos-migrate.service")
    assert ("callout-issuer" in loaded) == (name == "minos-api.service")
