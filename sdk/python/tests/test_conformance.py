"""This SDK against the vectors, and the runner against programs that are wrong."""

import subprocess
import sys
from pathlib import Path

import pytest

from minos_sdk.conformance.__main__ import differences
from minos_sdk.conformance.making.__main__ import made
from minos_sdk.conformance.subject import Subject
from minos_sdk.conformance.vectors_of import Case, cases_in

CASES = cases_in()
FILES = sorted({case.name.partition(":")[0] for case in CASES})
REASONS = {
    "algorithm", "audience", "base64url", "claims", "expired", "header", "issuer", "json", "malformed", "not_yet", "sender_constrained",
    "signature", "too_long", "type", "unknown_key",
}  # fmt: skip


async def failed(case: Case, reasons: set[str]) -> list[str]:
    subject, found = Subject(), list[str]()
    for step in case.steps:
        reply = await subject.answer(step)
        reasons.add(reply.get("reason", ""))
        found += [f"{case.name}: {each}" for each in differences(step["expect"], reply)]
    return found


@pytest.mark.parametrize("file", FILES)
async def test_the_sdk_does_as_the_vectors_say(file: str) -> None:
    reasons: set[str] = set()
    found = [await failed(case, reasons) for case in CASES if case.name.startswith(f"{file}:")]
    assert [each for of_case in found for each in of_case] == []
    assert file not in ("tokens", "forged-tokens") or len(reasons & REASONS) > 6


def test_the_vectors_that_are_kept_are_those_that_are_made() -> None:
    """With other keys; so a case that was added or changed has to be written."""
    of_kept, of_made = ({case.name: [step["op"] for step in case.steps] for case in cases} for cases in (CASES, just_made()))
    assert of_kept == of_made


def just_made() -> list[Case]:
    return [
        Case(f"{name}: {case['name']}", (), (*content["preamble"], *case["steps"])) for name, content in made() for case in content["cases"]
    ]


def test_no_two_cases_share_a_name() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


def run(program: str, *options: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "minos_sdk.conformance", *options, "--", sys.executable, program]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 - ourselves


def test_the_runner_passes_what_is_right() -> None:
    result = run("-mminos_sdk.conformance.subject", "--only", "internal")
    assert (result.returncode, result.stdout) == (0, "36 of 36 cases passed\n")


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ('{"id": r["id"], "verdict": "accept"}', "FAILED"),
        ('{"id": r["id"], "verdict": "refuse", "code": "invalid_token"}', "FAILED"),
        ('{"id": 0}', ""),
        ('["no object"]', ""),
    ],
)
def test_the_runner_fails_what_is_wrong(tmp_path: Path, reply: str, said: str) -> None:
    program = tmp_path / "wrong.py"
    program.write_text(f"import json, sys\nfor line in sys.stdin:\n    r = json.loads(line)\n    print(json.dumps({reply}), flush=True)\n")
    result = run(str(program), "--only", "internal")
    assert result.returncode != 0
    assert said in result.stdout


def test_the_runner_fails_where_there_is_nothing_to_run(tmp_path: Path) -> None:
    result = run("-mminos_sdk.conformance.subject", "--vectors", str(tmp_path))
    assert (result.returncode, "no case in" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["./not-there"], "./not-there cannot be run"), ([sys.executable, "-c", ""], "the program ended"),
        ([sys.executable, "-c", "print('hello')"], "no JSON object came for request 1: 'hello"),
    ],
    ids=["not there", "ends", "talks"],
)  # fmt: skip
def test_a_program_that_does_not_keep_to_the_protocol_is_told_how(command: list[str], said: str) -> None:
    argv = [sys.executable, "-m", "minos_sdk.conformance", "--only", "internal", "--", *command]
    result = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 - ourselves
    assert (result.returncode, "Traceback" in result.stderr) == (1, False)
    assert said in result.stderr
