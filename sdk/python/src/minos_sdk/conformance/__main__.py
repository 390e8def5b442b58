"""Hold a program against the vectors: `python -m minos_sdk.conformance [--vectors FOLDER] [--only TEXT] -- COMMAND...`."""

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, cast

from minos_sdk.conformance.vectors_of import FOLDER, Case, cases_in


def differences(expected: Mapping[str, Any], reply: Mapping[str, Any]) -> list[str]:
    """Say what a reply lacks of what is expected; it may say more. Members of `identity` are held against each other one by one."""
    found: list[str] = []
    for name, value in expected.items():
        got = reply.get(name)
        if isinstance(value, Mapping):
            said = cast("Mapping[str, Any]", got if isinstance(got, dict) else {})
            found += [f"{name}.{each}" for each in differences(cast("Mapping[str, Any]", value), said)]
        elif got != value:
            found.append(f"{name}: expected {json.dumps(value)}, got {json.dumps(got)}")
    return found


class Program:
    """What is tested: a process that answers each line with a line."""

    def __init__(self, command: list[str]) -> None:
        try:
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603 - the caller's own
        except OSError as error:
            raise EOFError(f"{command[0]} cannot be run: {error.strerror}") from error
        self._number = 0

    def ask(self, step: Mapping[str, Any]) -> Mapping[str, Any]:
        """Raises EOFError when there is no answer, none that can be read, or one to another question."""
        self._number += 1
        request = {"id": self._number, **{name: value for name, value in step.items() if name != "expect"}}
        try:
            _pipe(self._process.stdin).write(json.dumps(request) + "\n")
            _pipe(self._process.stdin).flush()
        except BrokenPipeError:
            raise EOFError("the program ended") from None
        line = _pipe(self._process.stdout).readline()
        if not line:
            raise EOFError("the program ended")
        return self._reply(line)

    def _reply(self, line: str) -> Mapping[str, Any]:
        try:
            reply: object = json.loads(line)
        except ValueError:
            reply = None
        said = cast("Mapping[str, Any]", reply) if isinstance(reply, dict) else None
        if said is None:
            raise EOFError(f"a line that is no JSON object came for request {self._number}: {line[:80]!r}")
        if said.get("id") != self._number:
            raise EOFError(f"an answer to request {said.get('id')} came for request {self._number}")
        return said

    def end(self) -> None:
        with suppress(BrokenPipeError):
            _pipe(self._process.stdin).close()
        self._process.wait(timeout=10)


def failures(program: Program, case: Case) -> list[str]:
    for number, step in enumerate(case.steps, 1):
        if found := differences(step["expect"], program.ask(step)):
            return [f"step {number} ({step['op']}): {each}" for each in found]
    return []


def main(argv: list[str]) -> int:
    at = argv.index("--") if "--" in argv else len(argv)
    command = argv[at + 1 :]
    parser = argparse.ArgumentParser(prog="python -m minos_sdk.conformance", epilog="-- COMMAND... is what is tested.")
    parser.add_argument("--vectors", type=Path, default=FOLDER, help="a folder of vectors; by default those of this package")
    parser.add_argument("--only", default="", help="cases whose name has this text in it")
    options = parser.parse_args(argv[:at])
    if not command:
        parser.error("say what to test, after --")
    cases = [case for case in cases_in(options.vectors) if "sdk" in case.applies and options.only in case.name]
    if not cases:
        parser.error(f"no case in {options.vectors} has {options.only!r} in its name")
    try:
        failed = _failed(Program(command), cases)
    except EOFError as broken:
        sys.stderr.write(f"the protocol was not kept: {broken}\n")
        return 1
    sys.stdout.write(f"{len(cases) - failed} of {len(cases)} cases passed\n")
    return 1 if failed else 0


def _failed(program: Program, cases: Sequence[Case]) -> int:
    """Say which cases fail, and give how many. Raises EOFError."""
    failed = 0
    for case in cases:
        if found := failures(program, case):
            failed += 1
            sys.stdout.write("\n    ".join([f"FAILED {case.name}", *found]) + "\n")
    program.end()
    return failed


def _pipe(pipe: IO[str] | None) -> IO[str]:
    if pipe is None:
        raise EOFError("the program has no such pipe")
    return pipe


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
