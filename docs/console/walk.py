"""Walks through a document: types each command as a reader would, and gives what came back."""

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from docs.console.authority import Authority
from docs.console.blocks import Step
from docs.console.matching import matches
from docs.console.shell import Shell

LOOK_AGAIN_S = 30.0
"""A list may be some moments behind; a reader would look again, and so do we."""

_UP = re.compile(r"^(?P<settings>(?:MINOS_\w+=\S+ )*)\./minos up\b(?P<arguments>(?!.*--exit-when-ready).*)$")
_CTRL_C = "# Ctrl-C"
_CODE = re.compile(r"^bootstrap code: (?P<code>\S+)$", re.MULTILINE)
ASKS_FOR_CODE = re.compile(r"^code=\S+")
_ONLY_LOOKS = re.compile(r"^(token=\$\w+ )?(get |curl (?!.*(-X|-d))|\./minos (events|\w+ (list|status)))", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Outcome:
    step: Step
    output: str
    code: int

    @property
    def as_said(self) -> bool:
        return self.code == 0 and matches(self.step.expected, self.output)


@dataclass
class Walk:
    """One reader with one terminal, and `./minos up` in another. `swaps` are a document's words for what is really there."""

    authority: Authority
    swaps: dict[str, str] = field(default_factory=dict[str, str])
    code: str = ""

    def begin(self) -> None:
        """Have `./minos up` run before the first step."""
        self._start("", {})

    def through(self, named: Sequence[tuple[str, Step]]) -> Iterator[tuple[str, Outcome]]:
        """Take the steps, each given with its document's name, in one terminal; stop everything in the end."""
        with Shell(self.authority.folder, self.authority.environment) as shell:
            try:
                for name, step in named:
                    yield name, self._take(step, shell)
            finally:
                self.authority.stop()

    def _take(self, step: Step, shell: Shell) -> Outcome:
        if up := _UP.match(step.command):
            settings = dict(pair.split("=", 1) for pair in up["settings"].split())
            return Outcome(step, self._back(self._start(up["arguments"], settings)), 0)
        if step.command == _CTRL_C:
            return Outcome(step, self._back(self.authority.stop()), 0)
        command = self._there(ASKS_FOR_CODE.sub(f"code={self.code}", step.command))
        until = time.monotonic() + LOOK_AGAIN_S
        while True:
            output, code = shell.run(command)
            outcome = Outcome(step, self._back(output), code)
            if outcome.as_said or not _ONLY_LOOKS.match(step.command) or time.monotonic() > until:
                return outcome
            time.sleep(0.1)

    def _start(self, arguments: str, settings: dict[str, str]) -> str:
        output = self.authority.start(arguments, settings)
        if found := _CODE.search(output):
            self.code = found["code"]
        return output

    def _there(self, text: str) -> str:
        for said, real in {**self.authority.swaps, **self.swaps}.items():
            text = text.replace(said, real)
        return text

    def _back(self, text: str) -> str:
        for said, real in {**self.authority.swaps, **self.swaps}.items():
            text = text.replace(real, said)
        return text.replace(str(self.authority.folder.resolve()), "/home/you/minos")
