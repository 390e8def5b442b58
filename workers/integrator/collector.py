"""Has the newest checkpoint cosigned by the witnesses of a policy, until their quorum is met, and keeps it with their lines.

Beside the integrator, so that the log goes on whether witnesses are there or not (docs/adr/0058): what waits is only what is served.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from adapters.checkpoint_key import LogName, read_log_name
from adapters.log_policy import is_cosigned
from adapters.postgres_links import Links
from adapters.postgres_sql import statements
from adapters.tree_store import TreeStore
from adapters.witness.asking import WitnessLine
from domain.tree.checkpoint import Checkpoint
from domain.tree.note import BadNote, Note, Signature, read_note
from domain.tree.policy import Policy
from domain.tree.submission import with_signatures
from workers.integrator.correspondent import Correspondent, Outcome, Submitted

SQL = statements(Path(__file__).with_suffix(".sql"))
PACE_SECONDS = 1.0
_MOST_AT_ONCE = 32


class Witnessed(Struct, frozen=True, kw_only=True):
    """`size` events are under a checkpoint that the quorum cosigned; the first one behind it has waited `waiting_s` for the same."""

    size: int = 0
    waiting_s: float = 0.0


class Collector:
    """For one run; without a policy there is nothing to do. `heard` is told of every answer of a witness, `observe` of every round."""

    def __init__(
        self,
        url: str,
        policy: Policy | None,
        *,
        observe: Callable[[Witnessed], None] = lambda _: None,
        heard: Callable[[str, Outcome], None] = lambda _name, _outcome: None,
    ) -> None:
        self._policy, self._observe = policy or Policy(), observe
        self._links = Links(url, size=2)
        self._threads = ThreadPoolExecutor(max_workers=_MOST_AT_ONCE, thread_name_prefix="witnesses")
        self._witnesses = [
            Correspondent(each, WitnessLine(each.url, self._threads), TreeStore(self._links), observe=heard)
            for each in self._policy.witnesses
            if each.url is not None
        ]
        self._asking: dict[str, asyncio.Task[Sequence[Signature]]] = {}
        self._name: LogName | None = None
        self._collected: tuple[Submitted, dict[str, Signature]] | None = None
        """By the names of the witnesses, for the checkpoint that was submitted last."""

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set. Raises StoreUnavailable: make another one then."""
        try:
            while not stop.is_set():
                if self._witnesses:
                    await self.step()
                else:
                    self._observe(Witnessed())
                    await stop.wait()
                with suppress(TimeoutError):
                    async with asyncio.timeout(PACE_SECONDS):
                        await stop.wait()
        finally:
            await self.close()

    async def step(self) -> None:
        """Submit the newest checkpoint where it is not cosigned yet. Raises StoreUnavailable."""
        self._name = self._name or await read_log_name(self._links)
        rows = await self._links.read(SQL["newest"])
        if rows and self._name is not None:
            epoch, size, root, note, cosigned = rows[0]
            key = self._name.verifier(epoch)
            if cosigned is None or not is_cosigned(self._policy, cosigned, key):
                submitted = Submitted(checkpoint=Checkpoint(origin=key.name, size=size, root=root), note=note)
                if (lines := await self._collect(submitted)) is not None:
                    await self._links.read(SQL["store_cosigned"], epoch, size, with_signatures(_below(note, cosigned), lines))
        ((size, waiting_s),) = await self._links.read(SQL["waiting"])
        self._observe(Witnessed(size=size, waiting_s=waiting_s))

    async def _collect(self, submitted: Submitted) -> Sequence[Signature] | None:
        """Ask whoever has not cosigned it yet, and wait no longer than until enough have. Gives their lines, if they have."""
        if self._collected is None or self._collected[0] != submitted:
            self._collected = submitted, {}
        lines = self._collected[1]
        asked = {
            asyncio.create_task(each.cosigned(submitted)): each.name
            for each in self._witnesses
            if each.name not in lines and each.is_free and self._asking.get(each.name) is None
        }
        for task, name in asked.items():
            self._asking[name] = task
            task.add_done_callback(self._answered)
        left = set(asked)
        while left and not self._policy.is_met(lines):
            done, left = await asyncio.wait(left, return_when=asyncio.FIRST_COMPLETED)
            lines.update((asked[task], found[0]) for task in done if (found := task.result()))
        return list(lines.values()) if self._policy.is_met(lines) else None

    def _answered(self, task: asyncio.Task[Sequence[Signature]]) -> None:
        """One that is too slow for its checkpoint is not asked again meanwhile, and what it says then is let go."""
        self._asking = {name: each for name, each in self._asking.items() if each is not task}
        if not task.cancelled():
            task.exception()

    async def close(self) -> None:
        for task in self._asking.values():
            task.cancel()
        await asyncio.gather(*self._asking.values(), return_exceptions=True)
        self._threads.shutdown(wait=False, cancel_futures=True)
        await self._links.close()


def _below(note: str, cosigned: str | None) -> Note:
    """Give what lines come below: those of witnesses of an earlier policy stay. What cannot be read is none of ours."""
    try:
        return read_note(cosigned or note)
    except BadNote:
        return read_note(note)
