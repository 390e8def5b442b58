"""What a reader of the log stops at; no refusals, since no caller hears them, but for what is asked of a place that is not there."""

from uuid import UUID

from domain.errors.refused import Refused


class NoSuchPosition(Refused):
    code = "no_such_position"
    detail = "The log does not reach that position."


class UnknownEventTag(Exception):
    """The log holds an event this code does not know. Never skipped: the reader stops."""

    def __init__(self, tag: str) -> None:
        super().__init__(f"event tag {tag!r} is not known to this version")
        self.tag = tag


class StreamDetached(Exception):
    """Events of a stream lie in a part of the log that was moved away, and its state has to be folded from all of them."""

    def __init__(self, stream: str) -> None:
        super().__init__(f"a part of {stream} was moved away: `minos retention status` shows what, `minos retention attach` brings it back")
        self.stream = stream


class LeafTooLarge(Exception):
    """An event is larger than an entry of the log may be. Payloads are capped well below this when they are appended."""

    def __init__(self, event_id: UUID, size: int) -> None:
        super().__init__(f"event {event_id} makes an entry of {size} bytes")
