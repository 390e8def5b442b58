"""An event as the message that NATS gets."""

from adapters.event_envelope import envelope
from adapters.jetstream import Outgoing
from commands.ports import StoredEvent


def outgoing(stored: StoredEvent, *, epoch: int, root: str = "minos.events") -> Outgoing:
    """Write the message of one sequenced event. Raises UnknownEventTag."""
    body = envelope(stored, epoch=epoch)
    category, what, _ = stored.type.split(".")
    return Outgoing(f"{root}.v1.{category}.{what}", body)
