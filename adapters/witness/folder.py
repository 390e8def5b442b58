"""The folder of a witness: its key, the logs it cosigns for, what it has seen."""

from pathlib import Path

from msgspec import Struct

from adapters.note_keys import WitnessKey
from adapters.witness.memory import WitnessMemory
from domain.tree.policy import Policy
from domain.tree.policy_file import BadPolicy, read_policy

_KEY, _LOGS, _MEMORY = "key", "logs", "memory"
_FIRST_LOGS = """\
# The logs this witness cosigns for (C2SP tlog-policy), read when it starts. A line each:
# log <vkey>
quorum none
"""


class WitnessExists(Exception):
    """A witness is there already. The message says where."""


class NoLogs(Exception):
    """The file of the logs names none, or cannot be read. The message says in what."""


class Home(Struct, frozen=True, kw_only=True):
    """Raises what reading its files raises: NoKeyFile, NoLogs, MemoryLost."""

    folder: Path

    def make(self, name: str) -> WitnessKey:
        """Begin a witness of that name, with a key of its own. Raises WitnessExists."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = [name for name in (_KEY, _MEMORY) if (self.folder / name).exists()]
        if found:
            raise WitnessExists(f"{self.folder / found[0]} is there already: a witness begins once, in a folder of its own")
        key = WitnessKey.new(name)
        WitnessMemory.make(self.folder / _MEMORY, key.public.line())
        key.keep(self.folder / _KEY)  # last: a key without a memory is one that forgot
        if not (self.folder / _LOGS).exists():
            (self.folder / _LOGS).write_text(_FIRST_LOGS)
        return key

    def key(self) -> WitnessKey:
        return WitnessKey.kept(self.folder / _KEY)

    def logs(self) -> Policy:
        path = self.folder / _LOGS
        try:
            policy = read_policy(path.read_bytes())
        except (OSError, BadPolicy) as error:
            raise NoLogs(f"{path}: {getattr(error, 'strerror', None) or error}") from None
        if not policy.logs:
            raise NoLogs(f"{path} names no log: add a line `log <vkey>` for each, as its operator gives it")
        return policy

    def memory(self, key: WitnessKey) -> WitnessMemory:
        return WitnessMemory(self.folder / _MEMORY, key.public.line())
