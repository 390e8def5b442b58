"""Refusals about a request itself, or the service's state when it came."""

from typing import ClassVar

from domain.errors.refused import Refused


class IdempotencyKeyReused(Refused):
    code = "idempotency_key_reused"
    detail = "This idempotency key was used for another request."


class IdempotencyKeyInvalid(Refused):
    code = "idempotency_key_invalid"
    detail = "An idempotency key has 22 to 255 printable ASCII characters."


class IdempotencyKeysExhausted(Refused):
    """The oldest key of a principal may go in a moment or in 72 hours: `retry_after`, in whole seconds, is a guess."""

    code = "idempotency_keys_exhausted"
    detail = "Too many idempotency keys of yours are kept already; each goes 72 hours after its use."
    retry_after: ClassVar[int] = 3_600


class AmbiguousCredentials(Refused):
    code = "ambiguous_credentials"
    detail = "The request carries more than one credential."


class LogNotPublic(Refused):
    code = "log_not_public"
    detail = "The hashes of this log are not shown to everybody here."


class NoCheckpoint(Refused):
    code = "checkpoint_not_found"
    detail = "No checkpoint of this log has been published."


class NotWitnessed(Refused):
    """Checkpoints there are: whoever asks for a quorum could use none of them."""

    code = "not_witnessed"
    detail = "The witnesses of this log have not cosigned a checkpoint of it yet."


class NoSuchTile(Refused):
    """Also for one that is there and under no checkpoint yet, or that is not written in the one way there is."""

    code = "tile_not_found"
    detail = "The newest checkpoint of this log covers no such tile."


class TreeTooSmall(Refused):
    code = "tree_too_small"
    detail = "The newest checkpoint of this log has fewer entries."


class CursorInvalid(Refused):
    code = "cursor_invalid"
    detail = "The cursor is not one of ours for this list."


class StreamVersionInvalid(Refused):
    code = "stream_version_invalid"
    detail = "Minos-Wait-For is not a token that was given to this caller."


class Contended(Refused):
    code = "contended"
    detail = "Too many changes to the same thing at once; try again."


class Overloaded(Refused):
    """Refused early because a queue is full; `retry_after` in whole seconds."""

    code = "overloaded"
    detail = "The service is busy; try again shortly."

    def __init__(self, retry_after: int = 1) -> None:
        super().__init__()
        self.retry_after = retry_after


class StoreUnavailable(Refused):
    code = "store_unavailable"
    detail = "A store this needs is away; try again shortly."


class LogChanged(Refused):
    """The reader has to begin anew: after a restore, what it knows may never have happened."""

    code = "log_changed"
    detail = "The log has another epoch than that, or does not reach that position: read it from the start."


class NoSuchEvent(Refused):
    code = "no_such_event"
    detail = "The log has no such event."


class NotYetProved(Refused):
    """Checkpoints follow the log by a second or so, for as long as the integrator runs."""

    code = "not_yet_proved"
    detail = "No checkpoint of the log has this event yet: ask again shortly."


class LogDetached(Refused):
    """A part of the log lies elsewhere. Who runs Minos brings it back, or reads its export."""

    code = "log_detached"
    detail = "These events were moved out of the database; whoever runs Minos can bring them back."

    def __init__(self, partition: int, first_position: int, last_position: int) -> None:
        super().__init__()
        self.partition, self.first_position, self.last_position = partition, first_position, last_position

    def __str__(self) -> str:
        back = f"`minos retention attach {self.partition}` brings them back"
        return f"Positions {self.first_position} to {self.last_position} were moved out of the database; {back}."


class TooManyWaiting(Refused):
    code = "too_many_waiting"
    detail = "Too many of your requests are waiting already."
