"""Events as they were once written, each with the one pure step to its successor.

A tag that was ever stored is read for ever. To change an event beyond adding a field with a default: give today's type
the next `.vN`, move the old type here into `LEGACY` with its tag unchanged, and add its step to `STEPS`. Deciders and
projections then only ever meet the newest.
"""

from collections.abc import Callable, Mapping
from typing import Any

from domain.event import Event

LEGACY: tuple[type[Event], ...] = ()
"""Types of events that are no longer written."""

STEPS: Mapping[type[Event], Callable[[Any], Event]] = {}
"""From each legacy type to its immediate successor."""


def upcast(event: Any, steps: Mapping[type[Event], Callable[[Any], Event]] = STEPS) -> Any:
    """Bring an event to its newest type, one step at a time. Pure; an event of today comes back as it is."""
    while (step := steps.get(event.__class__)) is not None:
        event = step(event)
    return event
