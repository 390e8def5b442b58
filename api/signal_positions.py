"""How far somebody knows the signals of a class, as they write it: the `id` of an event of the stream."""

import re
from collections.abc import Mapping

from msgspec import Struct

from domain.errors import CursorInvalid
from domain.signals.facts import SignalClass

_POSITION = re.compile(r"[a-z0-9_.-]{1,96}:[0-9]{1,10}:[0-9]{1,18}(,[a-z0-9_.-]{1,96}:[0-9]{1,10}:[0-9]{1,18}){0,15}")


class Position(Struct, frozen=True):
    """Everything of a class up to `count` of `epoch` is known."""

    epoch: int
    count: int

    def is_of(self, epoch: int, count: int) -> bool:
        """Tell whether a class that is there now has been here: of another epoch, or beyond what there is, it was another one."""
        return self.epoch == epoch and self.count <= count


def positions(text: str | None) -> Mapping[SignalClass, Position]:
    """Read the id of an event. Raises CursorInvalid."""
    if not text:
        return {}
    if _POSITION.fullmatch(text) is None:
        raise CursorInvalid
    parts = (part.split(":") for part in text.split(","))
    return {of_class: Position(int(epoch), int(count)) for of_class, epoch, count in parts}
