"""What a service's own tests get by installing the package: fixtures, without a server, a network or a line of configuration."""

import subprocess
import sys
from pathlib import Path

TESTS = """
import pytest
from minos_sdk import Revoked

def test_it_is_all_there(minos_authority, minos_clock, minos_verifier):
    minos_authority.feed.define_role("orders", "clerk", ["orders.read"])
    token = minos_authority.tokens.user(roles=["clerk"], sid="s1")
    assert minos_verifier.check(token).has_permission("orders.read")
    minos_authority.feed.end_session("s1")
    minos_clock.advance(1)
    with pytest.raises(Revoked):
        minos_verifier.check(token)
"""


def test_a_service_tests_itself_without_a_server(tmp_path: Path) -> None:
    (tmp_path / "test_service.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nminos_audience = orders\n")
    argv = [sys.executable, "-m", "pytest", "-q", "-pno:schemathesis", "-pno:faker", "-pno:xdist", str(tmp_path)]
    result = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 - ourselves
    assert (result.returncode, "1 passed" in result.stdout) == (0, True), result.stdout
