"""What the rounds come to: ours over another's, round by round, and what of it has a goal."""

from collections.abc import Mapping, Sequence
from statistics import median

from msgspec import Struct

from bench.goals import Figure, Goal, Rounds
from bench.peers.kinds import KINDS, MEMORY, OURS, STORE
from bench.peers.results import Results
from bench.peers.target import OPERATIONS

PERSISTING = tuple(kind.name for kind in KINDS if kind.persists and kind.name != OURS)
TITLES: Mapping[str, str] = {kind.name: kind.title for kind in KINDS} | {STORE: "pyeventsourcing"}
WHATS: Mapping[str, str] = {**OPERATIONS, "append": "append, 16 writers", "projection": "projection", "reading": "reading the log"}


def _over(title: str, must: float, aim: float) -> Goal:
    return Goal(title=title, unit="ratio", must=must, aim=aim)


GOALS: Mapping[str, Goal] = {
    "session_persisting": _over("authenticated read / best peer that persists", 4, 10),
    "refresh_persisting": _over("refresh / best peer that persists", 4, 10),
    "session_memory": _over("authenticated read / oidc-provider in memory", 0.5, 1),
    "refresh_memory": _over("refresh / oidc-provider in memory", 0.5, 1),
    "append_store": _over("append, 16 writers / pyeventsourcing", 5, 15),
    "projection_store": _over("projection / pyeventsourcing", 5, 15),
}
_AGAINST: Mapping[str, Sequence[str]] = {"persisting": PERSISTING, "memory": (MEMORY,), "store": (STORE,)}


class Comparison(Struct, frozen=True, kw_only=True):
    """Ours over another's: operations per second of the same round."""

    operation: str
    against: str
    ratios: Sequence[float]

    @property
    def ratio(self) -> float:
        return median(self.ratios)


def comparison(results: Results, operation: str, peers: Sequence[str]) -> Comparison | None:
    """Compare with the fastest of `peers`; None where ours or all of theirs were not measured in a same round."""
    ours = results.rates(OURS, operation)
    theirs = {peer: rates for peer in peers if (rates := results.rates(peer, operation)).keys() & ours.keys()}
    if not theirs:
        return None
    best = max(theirs, key=lambda peer: median(theirs[peer].values()))
    shared = sorted(theirs[best].keys() & ours.keys())
    ratios = [ours[number] / theirs[best][number] for number in shared if theirs[best][number]]
    return Comparison(operation=operation, against=best, ratios=ratios) if ratios else None


def comparisons(results: Results) -> Sequence[Comparison]:
    """Give all there are, sign-ins apart, which are compared by their hashes."""
    asked = [(operation, peers) for operation in WHATS if operation != "sign_in" for peers in _AGAINST.values()]
    return [found for operation, peers in asked if (found := comparison(results, operation, peers)) is not None]


def figures(results: Results) -> Sequence[Figure]:
    rounds = Rounds(GOALS)
    for key in GOALS:
        operation, _, against = key.partition("_")
        if (found := comparison(results, operation, _AGAINST[against])) is not None:
            for ratio in found.ratios:
                rounds.add(**{key: ratio})
    return rounds.figures()
