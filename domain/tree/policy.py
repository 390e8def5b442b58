"""Whose word makes a checkpoint valid: logs, witnesses and a quorum of them, in a file (C2SP tlog-policy)."""

from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct

from domain.tree.checkpoint import Checkpoint, read_checkpoint
from domain.tree.cosignature import Verifies, cosigned_at, is_signed
from domain.tree.note import Note, VerifierKey


class NotValid(Exception):
    """The policy does not accept the checkpoint. The message says for want of whom."""


class Log(Struct, frozen=True, kw_only=True):
    """The key's name is the origin of its checkpoints."""

    key: VerifierKey
    url: str | None = None


class Witness(Struct, frozen=True, kw_only=True):
    """`name` means something within the policy only; the name on its signatures is its key's."""

    name: str
    key: VerifierKey
    url: str | None = None


class Group(Struct, frozen=True, kw_only=True):
    """Has witnessed what `least` of its members have, each a witness or another group."""

    name: str
    least: int
    members: tuple[str, ...]


class Policy(Struct, frozen=True, kw_only=True):
    """`quorum` names a witness or a group; None asks for no witness. `groups` are in order: each names only what is before it."""

    logs: tuple[Log, ...] = ()
    witnesses: tuple[Witness, ...] = ()
    groups: tuple[Group, ...] = ()
    quorum: str | None = None

    def is_met(self, witnesses: Collection[str]) -> bool:
        """Tell whether it is enough that the witnesses of these names have cosigned."""
        if self.quorum is None:
            return True
        have = {each.name: each.name in witnesses for each in self.witnesses}
        for group in self.groups:
            have[group.name] = sum(have[member] for member in group.members) >= group.least
        return have[self.quorum]

    def keys_of(self, origin: str) -> Sequence[VerifierKey]:
        """Give the keys that may sign for a log: several while it changes them."""
        return [log.key for log in self.logs if log.key.name == origin]


class Judged(Struct, frozen=True, kw_only=True):
    """A valid checkpoint. `witnesses`: by their names in the policy, when each cosigned it last."""

    checkpoint: Checkpoint
    witnesses: Mapping[str, int]


def judge(policy: Policy, note: Note, verifies: Verifies, *, logs: Sequence[VerifierKey] = ()) -> Judged:
    """Hold a checkpoint against a policy. `logs` are known from elsewhere, besides those it lists.

    Raises NotValid, Forged where somebody signs in the name of one that is listed, and BadCheckpoint.
    """
    checkpoint = read_checkpoint(note.text)
    keys = [*policy.keys_of(checkpoint.origin), *(key for key in logs if key.name == checkpoint.origin)]
    signed = [is_signed(note, key, verifies) for key in keys]  # each is looked at: a forged one spoils it all
    if not any(signed):
        raise NotValid(f"no log that is known signed it as {checkpoint.origin}")
    told = {each.name: cosigned_at(note, each.key, verifies) for each in policy.witnesses}
    witnesses = {name: at for name, at in told.items() if at is not None}
    if not policy.is_met(witnesses):
        raise NotValid(f"the quorum {policy.quorum} is not met by {', '.join(sorted(witnesses)) or 'nobody'}")
    return Judged(checkpoint=checkpoint, witnesses=witnesses)
