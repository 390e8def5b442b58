"""What all processes have let in, in one unlogged table: told and learned in batches, never in the way of a request (docs/adr)."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from adapters.limits.counters import Counter
from adapters.macs import mac
from adapters.postgres_links import Links
from adapters.postgres_sql import statements
from adapters.secrets_store import Purpose, Secrets

SQL = statements(Path(__file__).with_suffix(".sql"))
_DIGEST_BYTES = 16


class PostgresTotals:
    """Buckets under a keyed digest of whose they are: neither an address nor an account can be read from the table."""

    def __init__(self, links: Links, secrets: Secrets) -> None:
        self._links = links
        self._secrets = secrets

    async def exchange(self, told: Sequence[tuple[Counter, int]]) -> Sequence[Sequence[float]]:
        """Add the requests of each counter, and give of each how many seconds its buckets need to be full again.

        Raises StoreUnavailable; then they may have been added.
        """
        seconds: dict[bytes, float] = {}
        for counter, count in told:
            for digest, (interval, _) in zip(self._digests(counter), counter.rule.windows, strict=True):
                seconds[digest] = seconds.get(digest, 0.0) + count * interval
        rows = await self._links.run(SQL["exchange"], list(seconds), list(seconds.values()))
        backlogs: Mapping[bytes, float] = {row[0]: row[1] for row in rows}
        return [[backlogs[digest] for digest in self._digests(counter)] for counter, _ in told]

    def _digests(self, counter: Counter) -> tuple[bytes, ...]:
        if counter.digests is None:
            key = self._secrets.of(Purpose.RATE_LIMIT).key
            rule = counter.rule
            counter.digests = tuple(mac(key, rule.name, str(rate), counter.key)[:_DIGEST_BYTES] for rate in rule.rates)
        return counter.digests
