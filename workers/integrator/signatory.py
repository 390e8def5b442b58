"""Signs what continues the newest checkpoint in the second place, and nothing else: a restored backup or a fork gets no signature.

A checkpoint goes to the second place first, then into the table, then it is said aloud. Killed between, the place has one that the table
has not: the next start finds that the tree agrees with it and stores it.
"""

from datetime import UTC, datetime

from adapters import published
from adapters.checkpoint_key import CheckpointSigner
from adapters.postgres_links import Links
from adapters.second_place import SecondPlace
from adapters.tree_store import SQL
from domain.tree.checkpoint import Checkpoint
from workers.integrator.judging import Continued, judge


class Signatory:
    """For one epoch of the log. Call `open` first, then `agree`; after an error, make another one."""

    def __init__(self, signer: CheckpointSigner, place: SecondPlace, links: Links, epoch: int) -> None:
        self._signer, self._place, self._links = signer, place, links
        self._epoch = epoch
        self._found = Continued()
        self._version: str | None = None
        self.size = 0
        """Of the tree that was published last; 0 before the first time."""

    async def open(self) -> None:
        """Raises Refused, PlaceAway, StoreUnavailable."""
        self._found = await judge(self._signer.name, self._place, self._links, self._epoch)
        self._version, self.size = self._found.version, self._found.size

    @property
    def known(self) -> int:
        """How many of the first events have tiles that were published, now or in the epoch before."""
        return self._found.known

    async def agree(self, root: bytes) -> None:
        """See that the tree, which has grown as far as what was published, is the same. Before this nothing may be signed.

        Raises Refused, StoreUnavailable.
        """
        self._found.agree(root)
        if self._found.checkpoint is not None and not self._found.is_stored:
            await self._keep(self._found.checkpoint, self._found.note)

    async def sign(self, size: int, root: bytes) -> str:
        """Publish the checkpoint of the tree as it has grown, and give its note. Raises PlaceChanged, PlaceAway, StoreUnavailable."""
        checkpoint = Checkpoint(origin=self._signer.name.origin(self._epoch), size=size, root=root)
        note = self._signer.sign(checkpoint, self._epoch)
        self._version = await published.publish(self._place, self._epoch, note, expect=self._version)
        await self._keep(checkpoint, note)
        self.size = size
        return note

    async def _keep(self, checkpoint: Checkpoint, note: str) -> None:
        """May be repeated. Nothing was lost if it fails: the next start does it."""
        now = datetime.now(UTC)
        await self._links.read(SQL["store_checkpoint"], self._epoch, checkpoint.size, checkpoint.root, note, None, now)
