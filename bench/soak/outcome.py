"""What a whole soak came to."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from bench.report import Circumstances
from bench.soak.course import Seen

Second = tuple[int, int]


class Outcome(Struct, frozen=True, kw_only=True):
    circumstances: Circumstances
    seed: int
    minutes: float
    clients: int
    disk: str
    """What PostgreSQL's folder was on."""
    requests: int
    failed: int
    acknowledged: Mapping[str, int]
    """By type of event."""
    events: int
    faults: Sequence[Seen]
    checks: Mapping[str, str]
    """What was checked at the end, and what was wrong with it."""
    service_accepted: int
    service_refused: int
    longest_revocation_s: float
    wrong: Sequence[str]
    """Answers of Minos or decisions of the service that should not have been."""
    seconds: Sequence[Second]
    """Requests that succeeded and that failed, in each second."""

    @property
    def lost(self) -> Sequence[str]:
        return [each for seen in self.faults for each in (*seen.lost, *seen.skipped_events)]

    @property
    def is_whole(self) -> bool:
        """Whether nothing acknowledged was lost, nothing skipped, and nothing found that must not be."""
        return not (self.lost or self.wrong or any(self.checks.values()) or any(seen.wrong for seen in self.faults))
