"""The configurations that are shipped, each given to a real nats-server as it is written, but for addresses."""

import asyncio
import re
import sysconfig
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from nats.aio.client import Client
from nats.errors import Error
from nats.js.api import StreamConfig

from adapters.children import spawn, stop
from adapters.nats_callout import Callout
from adapters.nats_client import NatsConnection, settled
from adapters.nats_home import NatsHome
from adapters.secret import Secret
from api.callout import Answering
from bench.running import free_ports
from cli.main import main
from docs.console.authority import ROOT
from tests.callout.conftest import Authority, Entered
from tests.callout.test_hostile_subscriber import NOT_TO_BE_HEARD, NOT_TO_BE_SAID

DEPLOYED = ROOT / "deploy" / "nats"
Run = Callable[..., Awaitable[str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What an operator has after `minos nats-keys`, and the files that are shipped."""
    assert main(["nats-keys", str(tmp_path)]) == 0
    for conf in DEPLOYED.glob("*.conf"):
        (tmp_path / conf.name).write_text(conf.read_text())
    return tmp_path


@pytest.fixture
async def run(folder: Path) -> AsyncIterator[Run]:
    """Start a server with a configuration, after changes, and give its URL."""
    async with AsyncExitStack() as closing:

        async def running(conf: str, port: int, **changes: str) -> str:
            home = folder / str(port)
            home.mkdir()
            (home / "keys.conf").write_text((folder / "keys.conf").read_text())
            (home / "passwords.conf").write_text('minos_password: "1e5"\nshop_password: "0x1"\n')
            for path in folder.glob("*.conf"):
                if path.name not in {"keys.conf", "passwords.conf"}:
                    text = path.read_text().replace("0.0.0.0:4222", f"127.0.0.1:{port}").replace("http: 127.0.0.1:8222", "")
                    for theirs, ours in {"/data": f'"{home}/data"', **changes}.items():
                        text = text.replace(theirs, ours)
                    (home / path.name).write_text(text)
            with (home / "log").open("ab") as output:
                child = spawn([f"{sysconfig.get_path('scripts')}/nats-server", "-c", conf], cwd=home, output=output, env={})
            closing.push_async_callback(stop, child)
            async with asyncio.timeout(10):
                while "Server is ready" not in (home / "log").read_text():
                    assert child.poll() is None, (home / "log").read_text()
                    await asyncio.sleep(0.01)
            return f"nats://127.0.0.1:{port}"

        yield running


@pytest.fixture
async def answering(authority: Authority, folder: Path) -> AsyncIterator[Callable[[str], Awaitable[Client]]]:
    """Answer a server as an API process does that has the keys of the folder; gives its connection."""
    async with AsyncExitStack() as closing:

        async def begin(url: str) -> Client:
            minos = NatsConnection(url, credentials=folder / "seed")
            closing.push_async_callback(minos.close)
            await minos.connect()
            issuer, xkey = (Secret((folder / name).read_text()) for name in ("callout-issuer", "callout-xkey"))
            answering = Answering(minos.client, replace(authority.door, wire=Callout(issuer, xkey)))
            closing.push_async_callback(answering.close)
            await answering.begin()
            await settled(minos.client)
            return minos.client

        yield begin


async def entered(url: str, **shown: Any) -> Entered:
    came = Entered()
    try:
        await came.client.connect(url, allow_reconnect=False, error_cb=came.failed, **shown)
    except BaseException:
        await came.client.close()
        raise
    return came


async def keep(minos: Client, stream: str, subject: str) -> None:
    await minos.jetstream().add_stream(StreamConfig(name=stream, subjects=[subject], allow_direct=True, max_msgs_per_subject=1))
    await minos.jetstream().publish(subject, b"kept")


async def reads(came: Entered, stream: str, inbox: str) -> None:
    await came.subscribe(inbox)
    await came.client.publish(f"$JS.API.DIRECT.GET.{stream}", b'{"seq":1}', reply=inbox)
    async with asyncio.timeout(5):
        while not came.got:
            await asyncio.sleep(0.01)
    assert came.got == [(inbox, b"kept")]


async def test_a_given_server_asks_minos_and_lets_a_service_read_its_signals(
    run: Run, answering: Callable[[str], Awaitable[Client]], authority: Authority
) -> None:
    url = await run("nats.conf", free_ports(1)[0])
    minos = await answering(url)
    await keep(minos, "SIG_ACCESS", "sig.v1.access.user.1")
    shop = await authority.service("minos.signals.access")
    came = await entered(url, token=await authority.token(shop))
    await reads(came, "SIG_ACCESS", f"_INBOX_{shop}.1")
    for subject in NOT_TO_BE_SAID:
        await came.client.publish(subject, b"{}", reply=f"_INBOX_{shop}.1")
    await came.told(len(NOT_TO_BE_SAID))
    await came.client.close()
    with pytest.raises(Error, match="Authorization"):
        await entered(url, user="minos", password="guess")


def known(password: str, routes: Sequence[int]) -> str:
    """What is in routes.conf."""
    urls = ", ".join(f'"nats://minos:{password}@127.0.0.1:{route}"' for route in routes)
    return f'route_password: "{password}"\nroute_urls: [ {urls} ]\n'


def of_server(port: int, route: int) -> dict[str, str]:
    return {"nats-1\n": f"nats-{port}\n", "0.0.0.0:6222": f"127.0.0.1:{route}"}


async def test_a_server_that_knows_no_password_is_none_of_the_cluster(run: Run, folder: Path) -> None:
    """It would hear and say everything, in every account."""
    (port, strange), (route, another) = free_ports(2), free_ports(2)
    (folder / "routes.conf").write_text(known("r0ute", [route, another]))
    await run("cluster.conf", port, **of_server(port, route))
    (folder / "routes.conf").write_text(known("guess", [route]))
    await run("cluster.conf", strange, **of_server(strange, another))
    told = {port: "Authentication Failure", strange: "Authorization Violation"}
    async with asyncio.timeout(10):
        while not all(text in (folder / str(server) / "log").read_text() for server, text in told.items()):
            await asyncio.sleep(0.01)


async def test_any_server_of_a_cluster_asks_whoever_answers_at_another(
    run: Run, folder: Path, answering: Callable[[str], Awaitable[Client]], authority: Authority
) -> None:
    ports, routes = free_ports(3), free_ports(3)
    (folder / "routes.conf").write_text(known("r0ute", routes))
    urls = [await run("cluster.conf", port, **of_server(port, route)) for port, route in zip(ports, routes, strict=True)]
    await answering(urls[0])
    shop = await authority.service("minos.signals.access")
    token = await authority.token(shop)
    async with asyncio.timeout(10):
        while True:
            try:
                async with asyncio.timeout(1):
                    came = await entered(urls[2], token=token)
            except (Error, OSError, TimeoutError):  # until the servers know each other
                continue
            break
    await came.subscribe("live.v1.access.>")
    await came.told(0)
    await came.client.close()


async def test_a_user_of_a_small_installation_can_do_the_same_and_no_more(run: Run) -> None:
    url = await run("static-users.conf", free_ports(1)[0])
    minos = Client()
    await minos.connect(url, user="minos", password="1e5")
    await keep(minos, "SIG_ACCESS", "sig.v1.access.user.1")
    came = await entered(url, user="shop", password="0x1")
    await reads(came, "SIG_ACCESS", "_INBOX_shop.1")
    said = [subject for subject in NOT_TO_BE_SAID if subject != "$JS.API.DIRECT.GET.SIG_ROLES_shop"]
    heard = [subject for subject in NOT_TO_BE_HEARD if "shop" not in subject]
    for subject in said:
        await came.client.publish(subject, b"{}", reply="_INBOX_shop.1")
    for subject in heard:
        await came.subscribe(subject)
    await came.told(len(said) + len(heard))
    await came.client.close()
    await minos.close()
    for strange in ({"token": "1e5"}, {"user": "minos", "password": "100000"}, {"user": "shop", "password": "1"}, {}):
        with pytest.raises(Error, match="Authorization"):
            await entered(url, **strange)


def test_every_configuration_gives_services_the_same_way_in(tmp_path: Path) -> None:
    NatsHome(tmp_path).prepare("127.0.0.1:4222")
    confs = [path.read_text() for path in (tmp_path / "nats.conf", DEPLOYED / "nats.conf", DEPLOYED / "static-users.conf")]
    for part in (r"exports: \[.*?\n    \]", r"imports: \[.*?\n    \]", r"limits \{.*?\}"):
        [one] = {re.sub(r"\s+", " ", found) for conf in confs for found in re.findall(part, conf, re.DOTALL)}
        assert "MINOS" in one or "DOWNSTREAM" in one or "max_payload" in one


def test_keys_that_are_there_stay_and_what_is_no_key_is_not_replaced(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path.name: path.read_text() for path in folder.iterdir()}
    assert main(["nats-keys", str(folder)]) == 0
    assert {path.name: path.read_text() for path in folder.iterdir()} == before
    assert not any(before[name] in before["keys.conf"] for name in ("seed", "callout-issuer", "callout-xkey"))
    assert all((folder / name).stat().st_mode & 0o077 == 0 for name in ("seed", "callout-issuer", "callout-xkey"))
    (folder / "seed").write_text("something of mine")
    assert main(["nats-keys", str(folder)]) == 2
    assert (folder / "seed").read_text() == "something of mine"
    assert "seed is there and no key" in capsys.readouterr().err
