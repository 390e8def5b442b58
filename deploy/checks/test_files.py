"""Files that other programs read, by those programs or by their schemas; and the licences of what is shipped."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(sys.executable).parent


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([PROGRAMS / command[0], *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize("path", ["deploy/Dockerfile", ".devcontainer/Dockerfile"])
def test_hadolint_finds_nothing(path: str) -> None:
    done = run("hadolint", "--failure-threshold=warning", path)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ("compose-spec", "compose.yaml"),
        ("compose-spec", "deploy/observability/compose.yaml"),
        ("github-workflows", ".github/workflows/ci.yaml"),
        ("github-workflows", ".github/workflows/release.yaml"),
        ("dependabot", ".github/dependabot.yml"),
    ],
)
def test_a_file_fits_its_schema(schema: str, path: str) -> None:
    done = run("check-jsonschema", "--builtin-schema", f"vendor.{schema}", path)
    assert done.returncode == 0, done.stdout


def test_workflows_are_safe() -> None:
    done = run("zizmor", "--offline", "--no-progress", ".github")
    assert done.returncode == 0, done.stdout


def test_what_is_shipped_may_be() -> None:
    exported = [
        "export",
        "--quiet",
        "--frozen",
        "--no-dev",
        "--extra=otel",
        "--no-emit-project",
        "--no-hashes",
        "--no-header",
        "--no-annotate",
    ]
    listed = subprocess.run(["uv", *exported], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    names = [line.partition("==")[0].partition(" ")[0] for line in listed.stdout.splitlines()]
    assert len(names) > 40
    done = run("pip-licenses", "--packages", *names)
    assert done.returncode == 0, done.stderr
    assert run("pip-licenses", "--allow-only=MIT", "--packages", *names).returncode == 1
