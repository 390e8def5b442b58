"""What the audit tree hashes of a stored event."""

from msgspec import Raw

from commands.ports import StoredEvent
from domain.leaf import Leaf, encode_leaf, micros


def leaf_bytes(event: StoredEvent) -> bytes:
    """Give the entry of the log that an event is. Raises LeafTooLarge, and ValueError for one whose payload was pruned."""
    if event.pruned:
        raise ValueError("what was pruned is known by its hash in the tree alone")
    return encode_leaf(
        Leaf(
            event_id=event.event_id,
            stream=event.stream,
            version=event.version,
            type=event.type,
            recorded_at=micros(event.recorded_at),
            actor=event.actor,
            session=event.session_id,
            command=event.command_id,
            correlation=event.correlation_id,
            causation=event.causation_id,
            key_id=event.key_id,
            payload=Raw(event.payload),
        )
    )
