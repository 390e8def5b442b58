"""What is shipped beside the code: it cannot be run in every test environment, but what can be checked on paper is."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from adapters.settings import SETTINGS
from cli.main import COMMANDS

ROOT = Path(__file__).parents[2]
SHIPPED = ["compose.yaml", "deploy/Dockerfile", "deploy/entrypoint.sh", "README.md"]
KNOWN = {setting.name for setting in SETTINGS} | {f"{setting.name}_FILE" for setting in SETTINGS}


@pytest.fixture(scope="module")
def compose() -> Any:
    return yaml.safe_load((ROOT / "compose.yaml").read_text())


@pytest.mark.parametrize("path", SHIPPED)
def test_only_settings_that_exist_are_named(path: str) -> None:
    named = set(re.findall(r"\bMINOS_[A-Z_]*[A-Z]\b", (ROOT / path).read_text()))
    assert named - KNOWN - {"MINOS_EVENTS"} == set()


def test_compose_has_the_parts_and_each_runs_a_command_there_is(compose: Any) -> None:
    services = compose["services"]
    assert {"postgres", "nats", "migrate", "api", "worker"} == set(services)
    assert {services[name]["command"][0] for name in ("migrate", "api", "worker")} == {"migrate", "serve", "work"} <= set(COMMANDS)


def test_every_file_and_secret_compose_names_is_there_or_declared(compose: Any) -> None:
    for service in compose["services"].values():
        assert set(service.get("secrets", [])) <= set(compose["secrets"])
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert source in compose["volumes"] or (ROOT / source).is_file()


def test_our_containers_have_no_rights_they_do_not_need(compose: Any) -> None:
    for name in ("migrate", "api", "worker"):
        service = compose["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in service["security_opt"]
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text()
    assert re.search(r"^USER 10001", dockerfile, re.MULTILINE)
    for service in compose["services"].values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


@pytest.mark.parametrize("script", ["deploy/entrypoint.sh", "deploy/postgres-roles.sh", ".ci/run"])
def test_every_shell_script_can_be_read_and_run(script: str) -> None:
    shell = "bash" if script == ".ci/run" else "sh"
    subprocess.run([shell, "-n", ROOT / script], check=True, timeout=10)
    assert (ROOT / script).stat().st_mode & 0o111


def test_the_licence_is_whole() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text
