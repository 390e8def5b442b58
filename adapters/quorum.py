"""Which checkpoint is served: the newest, or with a policy of witnesses the newest that their quorum cosigned."""

from adapters.checkpoint_key import LogName, read_log_name
from adapters.log_policy import is_cosigned
from adapters.tree_store import StoredCheckpoint, TreeStore
from domain.tree.policy import Policy


class Quorum:
    """Judges what the database has anew, since the policy may have changed, and the database is not believed: each note once."""

    def __init__(self, tree: TreeStore, policy: Policy | None) -> None:
        self._tree, self._policy = tree, policy
        self._name: LogName | None = None
        self._good = ""

    async def served(self, newest: StoredCheckpoint) -> StoredCheckpoint | None:
        """Give the checkpoint to serve where this is the newest of its epoch; None where none is cosigned. Raises StoreUnavailable."""
        if self._policy is None or await self._is_good(self._policy, newest):
            return newest
        older = await self._tree.newest_cosigned(newest.epoch)
        return older if older is not None and await self._is_good(self._policy, older) else None

    async def _is_good(self, policy: Policy, checkpoint: StoredCheckpoint) -> bool:
        self._name = self._name or await read_log_name(self._tree.links)
        if checkpoint.note == self._good:
            return True
        if self._name is None or not is_cosigned(policy, checkpoint.note, self._name.verifier(checkpoint.epoch)):
            return False
        self._good = checkpoint.note
        return True
