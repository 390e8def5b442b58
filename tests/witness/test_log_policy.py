"""MINOS_LOG_POLICY is looked into when the settings are read, and what cannot be meant is said there."""

from pathlib import Path

import pytest

from adapters.note_keys import WitnessKey
from adapters.settings_source import BadSettings, load

ONE, OTHER = (WitnessKey.new(f"{name}.example.org").public.line() for name in ("one", "other"))


def problems(folder: Path, policy: str | None) -> tuple[str, ...]:
    file = folder / "policy"
    if policy is not None:
        file.write_text(policy)
    try:
        load({"MINOS_LOG_POLICY": str(file)}, folder)
    except BadSettings as bad:
        return bad.problems
    return ()


@pytest.mark.parametrize(
    "policy",
    [
        f"witness w {ONE} https://one.example.org\nquorum w\n",
        f"witness w {ONE} http://127.0.0.1:8010/below\nwitness v {OTHER}\ngroup g any w v\nquorum g\n",
    ],
    ids=["one", "one of two, who has a URL"],
)
def test_a_policy_whose_quorum_can_be_met_is_taken(tmp_path: Path, policy: str) -> None:
    assert problems(tmp_path, policy) == ()


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (None, "No such file"),
        ("quorum w\n", "line 1: 'w' is no witness"),
        ("quorum none\n", "asks for no witness"),
        (f"witness w {ONE}\nquorum w\n", "cannot be met by the witnesses that have a URL"),
        (f"witness w {ONE} https://one.example.org\nwitness v {OTHER}\ngroup g all w v\nquorum g\n", "cannot be met"),
        (f"witness w {ONE} ftp://one.example.org\nquorum w\n", "the URL of w is no http"),
        (f"witness w {ONE} https://user@one.example.org\nquorum w\n", "the URL of w is no http"),
        (f"witness w {ONE} https://one.example.org?x\nquorum w\n", "the URL of w is no http"),
        (f"witness w {ONE} https://one.example.org:x\nquorum w\n", "the URL of w is no http"),
    ],
    ids=["missing", "unknown", "none", "without a URL", "one of two", "ftp", "with a user", "with a query", "with no port"],
)
def test_one_that_cannot_be_meant_is_refused(tmp_path: Path, policy: str | None, words: str) -> None:
    (problem,) = problems(tmp_path, policy)
    assert problem.startswith("MINOS_LOG_POLICY: ")
    assert words in problem
