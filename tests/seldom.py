"""A mark for tests that show that a tool of ours works, and nothing of the service: they take their turn when everything is tested."""

import os

import pytest

seldom = pytest.mark.skipif(
    not os.environ.get("MINOS_TEST_EVERYTHING"), reason="its turn is with MINOS_TEST_EVERYTHING set, as `just coverage` does"
)
