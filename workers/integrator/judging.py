"""Whether a log continues what was published of it: against the second place, which does not go back when the database does."""

from msgspec import Struct

from adapters import log_epochs, published
from adapters.checkpoint_key import LogName, verified
from adapters.log_reader import SQL
from adapters.postgres_links import Links
from adapters.published import Published
from adapters.second_place import SecondPlace
from adapters.tree_store import StoredCheckpoint, TreeStore
from domain.tree.checkpoint import BadCheckpoint, Checkpoint, read_checkpoint
from domain.tree.note import BadNote, read_note

_GO_ON = "`minos log open-epoch` goes on from here"


class Refused(Exception):
    """Nothing may be signed: the log does not continue what was published of it. Only an operator can tell what is right."""


class Continued(Struct, frozen=True, kw_only=True):
    """What a log has to continue. `version` is that of the second place, None where nothing was published in this epoch."""

    version: str | None = None
    checkpoint: Checkpoint | None = None
    note: str = ""
    is_stored: bool = True
    """Whether the table has that checkpoint too."""
    agreed: int = 0
    """Where nothing was published in this epoch: how many events the one before it was of that are these."""

    @property
    def size(self) -> int:
        return 0 if self.checkpoint is None else self.checkpoint.size

    @property
    def known(self) -> int:
        """How many of the first events have tiles that were published."""
        return self.size or self.agreed

    def agree(self, root: bytes) -> None:
        """See that the tree, grown as far as what was published, is the same. Raises Refused."""
        if self.checkpoint is not None and root != self.checkpoint.root:
            words = f"the first {self.size} events are not those that were published: the log was forked or changed"
            raise Refused(f"{words}. See `minos audit verify`; then {_GO_ON}")

    async def agree_stored(self, store: TreeStore) -> None:
        """The same of the tree that is stored. Raises Refused, StoreUnavailable."""
        if self.checkpoint is None:
            return
        try:
            self.agree(await store.root(self.size))
        except ValueError as error:
            raise Refused(f"the tree of {self.size} events cannot be read: {error}") from error


async def judge(name: LogName, place: SecondPlace, links: Links, epoch: int) -> Continued:
    """See what was published, and whether the log can continue it: whether it is the same log `agree` sees, once the tree is there.

    Raises Refused, PlaceAway, StoreUnavailable.
    """
    # In the order opposite to that in which another integrator writes them: then the later ones are not behind the earlier ones.
    stored = await TreeStore(links).newest(epoch)
    last = await published.newest(place)
    ((log_size, _),) = await links.read(SQL["log_size"])
    if last is None or last.epoch < epoch:
        return Continued(agreed=await _begun(links, epoch, last, stored))
    if last.epoch > epoch:
        raise Refused(f"epoch {last.epoch} of the log was published, and this database has epoch {epoch}: a backup. {_GO_ON}")
    if last.closed:
        raise Refused(f"epoch {epoch} of the log was closed by an `open-epoch` that did not come to its end. {_GO_ON}")
    try:
        checkpoint = verified(last.note, name.verifier(epoch))
    except BadCheckpoint as bad:
        raise Refused(f"the second place has a checkpoint that is none of ours: {bad}. {_GO_ON}") from bad
    if stored is not None and stored.size > checkpoint.size:
        raise Refused(f"the second place is older ({checkpoint.size}) than what was published ({stored.size}). {_GO_ON}")
    if log_size < checkpoint.size:
        raise Refused(f"{checkpoint.size} events were published, and there are {log_size}: a backup, or events were lost. {_GO_ON}")
    is_stored = stored is not None and stored.size == checkpoint.size
    return Continued(version=last.version, checkpoint=checkpoint, note=last.note, is_stored=is_stored)


async def _begun(links: Links, epoch: int, last: Published | None, stored: StoredCheckpoint | None) -> int:
    """Of this epoch nothing is in the second place: it has to be new, and the log must say from where it goes on. Gives how far it agrees
    with what was published before."""
    if stored is not None:
        raise Refused(f"{stored.size} events were published, and the second place has nothing of it. Unless it comes back, {_GO_ON}")
    if epoch == 1:
        return 0
    event = await log_epochs.opened(links, epoch)
    if event is None:
        raise Refused(f"nothing in the log says that epoch {epoch} was opened. {_GO_ON}")
    if last is not None:
        earlier = _read(last.note)
        cited = None if event.earlier is None else (event.earlier.origin, event.earlier.size, event.earlier.root)
        if cited != (earlier.origin, earlier.size, earlier.encoded_root):
            raise Refused(f"epoch {epoch} was opened with another checkpoint than the last one of epoch {last.epoch}. {_GO_ON}")
    return event.agreed


def _read(note: str) -> Checkpoint:
    try:
        return read_checkpoint(read_note(note).text)
    except (BadNote, BadCheckpoint) as bad:
        raise Refused(f"the second place has what is no checkpoint: {bad}") from bad
