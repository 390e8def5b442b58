"""The uv that these tests run."""

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOUND = shutil.which("uv", path=f"{os.environ['PATH']}:{ROOT / '.tools' / 'uv' / 'bin'}")

needs_uv = pytest.mark.skipif(FOUND is None, reason="needs uv: ./minos and .ci/run fetch one where there is none")
