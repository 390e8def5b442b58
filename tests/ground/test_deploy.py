"""What is shipped beside the code: containers cannot be run in every test environment; scripts can, and the rest is checked on paper."""

import re
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
import yaml

from adapters import postgres_home
from adapters.embedded_postgres import PostgresServer
from adapters.settings_table import SETTINGS
from cli.main import COMMANDS

ROOT = Path(__file__).parents[2]
OURS = ("migrate", "api", "worker", "test")
PROFILES = {"dev", "test", "observability", "full"}
SHIPPED = [
    "compose.yaml",
    "README.md",
    *(
        path.relative_to(ROOT).as_posix()
        for path in sorted((ROOT / "deploy").rglob("*"))
        if path.is_file() and path.suffix not in {".py", ".pyc"}
    ),
]
KNOWN = {setting.name for setting in SETTINGS} | {f"{setting.name}_FILE" for setting in SETTINGS}


@pytest.fixture(scope="module")
def compose() -> Any:
    """What Compose makes of the file and of those it includes."""
    whole = yaml.safe_load((ROOT / "compose.yaml").read_text())
    for path in whole["include"]:
        included = yaml.safe_load((ROOT / path).read_text())
        for service in included["services"].values():
            service["volumes"] = [volume.replace("./", f"./{Path(path).parent}/") for volume in service.get("volumes", [])]
        whole["services"] |= included["services"]
        whole["volumes"] |= included["volumes"]
    return whole


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[PostgresServer]:
    server = PostgresServer(tmp_path / "pg", durable=False)
    await server.start()
    yield server
    await server.stop()


@pytest.mark.parametrize("path", SHIPPED)
def test_only_settings_that_exist_are_named(path: str) -> None:
    named = set(re.findall(r"\bMINOS_[A-Z_]*[A-Z]\b", (ROOT / path).read_text()))
    assert named - KNOWN - {"MINOS_EVENTS"} == set()


def test_compose_has_the_parts_and_each_runs_a_command_there_is(compose: Any) -> None:
    services = compose["services"]
    assert {"postgres", "nats", "migrate", "api", "worker"} == {name for name, service in services.items() if not service.get("profiles")}
    assert {profile for service in services.values() for profile in service.get("profiles", [])} == PROFILES
    assert {services[name]["command"][0] for name in ("migrate", "api", "worker")} == {"migrate", "serve", "work"} <= set(COMMANDS)


def test_every_file_and_secret_compose_names_is_there_or_declared(compose: Any) -> None:
    for service in compose["services"].values():
        assert set(service.get("secrets", [])) <= set(compose["secrets"])
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert source in compose["volumes"] or source == "./secrets/keys.conf" or (ROOT / source).exists()


def test_our_containers_have_no_rights_they_do_not_need(compose: Any) -> None:
    for name in OURS:
        service = compose["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in service["security_opt"]
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text()
    assert re.search(r"^USER 10001", dockerfile, re.MULTILINE)
    for service in compose["services"].values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


def test_only_migrations_have_the_owners_password(compose: Any) -> None:
    assert [name for name in OURS if "owner" in compose["services"][name]["secrets"]] == ["migrate"]


def test_every_image_is_of_a_version(compose: Any) -> None:
    named = [service["image"] for service in compose["services"].values()]
    named += re.findall(r"^ARG PYTHON=(\S+)$", (ROOT / "deploy" / "Dockerfile").read_text(), re.MULTILINE)
    assert [image for image in named if "IMAGE:-" not in image and not re.search(r"(:v?|^)\d", image)] == []


def test_no_argument_of_a_command_is_a_password(compose: Any) -> None:
    for service in compose["services"].values():
        commands = [service.get("entrypoint", []), service.get("command", []), service.get("healthcheck", {}).get("test", [])]
        assert not re.search(r"--?pass", str(commands))


async def test_psql_reads_the_roles_passwords_itself(server: PostgresServer, tmp_path: Path) -> None:
    """The script is run as it is written, for roles and a database of another name."""
    script = (ROOT / "deploy" / "postgres-roles.sh").read_text()
    [arguments] = re.findall(r"^psql (?:\\\n|.)*", script, re.MULTILINE)
    assert "secrets" not in arguments
    for name in ("owner", "app"):
        (tmp_path / name).write_text(f"{name}'s\n")
    given = urlsplit(server.superuser_url)
    folder = postgres_home.programs(server.home, postgres_home.system_user())
    environment = {"PATH": f"{folder}:/usr/bin:/bin", "PGHOST": given.query.removeprefix("host="), "PGPASSWORD": given.password or ""}
    text = script.replace("minos", "other").replace("/run/secrets", str(tmp_path))
    subprocess.run(["sh", "-c", text], env=environment, stdout=subprocess.DEVNULL, check=True, timeout=20)
    for name in ("owner", "app"):
        url = f"postgresql:///other?host={environment['PGHOST']}"
        await (await asyncpg.connect(url, user=f"other_{name}", password=f"{name}'s", timeout=10)).close()


def test_nats_knows_public_keys_and_no_secret(compose: Any) -> None:
    service = compose["services"]["nats"]
    assert "secrets" not in service
    assert [volume.split(":")[0] for volume in service["volumes"]] == ["nats", "./deploy/nats/nats.conf", "./secrets/keys.conf"]
    assert service["command"] == ["-c", "/etc/minos/nats.conf"]  # and what it includes is beside it


@pytest.mark.parametrize("command", ["serve", "work", "migrate"])
def test_the_entrypoint_gives_each_part_the_secrets_it_has_and_no_other(compose: Any, tmp_path: Path, command: str) -> None:
    """The script is run as it is written, with other folders."""
    [service] = [s for s in compose["services"].values() if s.get("command") == [command]]
    (tmp_path / "bin").mkdir()
    for name in service["secrets"]:
        (tmp_path / name).write_text("secret")
    (tmp_path / "bin" / "minos").write_text("#!/bin/sh\nenv\n")
    (tmp_path / "bin" / "minos").chmod(0o755)
    script = (ROOT / "deploy" / "entrypoint.sh").read_text().replace("/run/secrets", str(tmp_path))
    path = f"{tmp_path}/bin:/usr/bin:/bin"
    done = subprocess.run(
        ["sh", "-c", script, "minos", command], env={"PATH": path}, capture_output=True, text=True, check=True, timeout=20
    )
    given = dict(line.split("=", 1) for line in done.stdout.splitlines() if line.startswith("MINOS_"))
    assert given["MINOS_NATS_URL"] == "nats://nats:4222"
    files = {Path(value).name for name, value in given.items() if name.endswith(("_FILE", "_CREDENTIALS"))}
    assert files == set(service["secrets"]) - {"owner", "app"}
    assert ("MINOS_MIGRATION_DATABASE_URL" in given) == (command == "migrate")


@pytest.mark.parametrize("script", ["deploy/entrypoint.sh", "deploy/postgres-roles.sh", ".ci/run", ".ci/audit"])
def test_every_shell_script_can_be_read_and_run(script: str) -> None:
    shell = "bash" if script.startswith(".ci/") else "sh"
    subprocess.run([shell, "-n", ROOT / script], check=True, timeout=10)
    assert (ROOT / script).stat().st_mode & 0o111


def test_the_licence_is_whole() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text
