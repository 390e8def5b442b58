"""A plugin of pytest, loaded first: what was compiled stays for the next run and for the processes of this one.

Where PYTHONDONTWRITEBYTECODE is set, as images of containers like to, each of them would compile anew all that it imports: two
seconds before the first test. Still no file appears beside a source; pytest keeps a folder of its own.
"""

import os
import sys
from pathlib import Path

if sys.dont_write_bytecode:
    sys.pycache_prefix = str(Path(__file__).parent.parent / ".pytest_cache" / "compiled")
    sys.dont_write_bytecode = False
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix
    del os.environ["PYTHONDONTWRITEBYTECODE"]
