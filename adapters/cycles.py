"""Reading a great many rows without looking through them for cycles."""

import gc
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def no_search_for_cycles() -> Generator[None]:
    """Rows and events hold no cycles, and there are a great many: looking for some would take up to half the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
