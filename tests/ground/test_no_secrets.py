"""Nothing that opens anything is in the repository: what git has is looked through for credentials by their forms."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FORMS = {
    "private key": r"^-----BEGIN ([A-Z0-9]+ )?PRIVATE KEY-----[[:space:]]*$",
    "Amazon": r"\b(AKIA|ASIA)[A-Z0-9]{16}\b",
    "GitHub": r"\b(gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{60,})\b",
    "GitLab": r"\bglpat-[A-Za-z0-9_-]{20,}\b",
    "Google": r"\bAIza[A-Za-z0-9_-]{35}\b",
    "npm": r"\bnpm_[A-Za-z0-9]{36}\b",
    "PyPI": r"\bpypi-AgEI[A-Za-z0-9_-]{50,}\b",
    "Slack": r"\bxox[abprs]-[A-Za-z0-9-]{20,}\b",
    "Stripe": r"\b[rs]k_live_[A-Za-z0-9]{20,}\b",
    "Vault": r"\bhv[sb]\.[A-Za-z0-9_-]{24,}\b",
    "NATS": r"\bS[AUNOCX][A-Z2-7]{56}\b",
}
MADE_FOR_TESTS = {"Amazon": {"tests/second_place/test_bucket.py"}, "NATS": {"tests/ground/test_settings.py"}}
"""Files that hold what only tests open, by form."""


def found(pattern: str) -> set[str]:
    command = ["git", "grep", "--untracked", "-I", "-l", "-E", "-e", pattern]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode in {0, 1}, done.stderr
    return set(done.stdout.splitlines())


@pytest.mark.parametrize("form", FORMS)
def test_there_is_no_credential(form: str) -> None:
    assert found(FORMS[form]) == MADE_FOR_TESTS.get(form, set())


def test_one_would_be_found(tmp_path: Path) -> None:
    examples = {
        "Amazon": "AKIA" + "Q" * 16,
        "GitHub": "ghp_" + "a" * 36,
        "private key": "-----BEGIN " + "EC PRIVATE KEY-----",
        "NATS": "SU" + "A" * 56,
    }
    for form, example in examples.items():
        place = tmp_path / "place"
        place.write_text(f"x\n{example}\n")
        done = subprocess.run(["git", "grep", "--no-index", "-q", "-E", "-e", FORMS[form], "place"], cwd=tmp_path, check=False, timeout=20)
        assert done.returncode == 0, form
