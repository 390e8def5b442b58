"""The shipped configurations of gateways, run for real: the authority on one side, a service on the other that tells what it got."""

import asyncio
import json
import os
import shutil
import socket
import tempfile
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from granian.constants import Interfaces
from granian.server.embed import Server

from api.asgi import App, Receive, Scope, Send
from bench import nginx
from docs.console.authority import ROOT

DEPLOY = ROOT / "deploy"
MINOS, SHOP = "auth.minos.example", "shop.minos.example"
"""Both are names that the authority of the tests answers under: Envoy asks under that of the shop."""


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def got(self) -> dict[str, Any]:
        """What the service behind says it got: method, raw path, query and header fields as pairs."""
        told: dict[str, Any] = json.loads(self.body)
        return told

    def named(self, prefix: str) -> dict[str, str]:
        """Header fields the service got, however their names are written."""
        fields = ((name.lower().replace("_", "-"), value) for name, value in self.got["headers"])
        return {name: value for name, value in fields if name.startswith(prefix)}


@dataclass(slots=True)
class Gateway:
    port: int
    name: str = ""
    asked: list[str] = field(default_factory=list[str])
    """Every question that came to Minos by way of nginx, as path and query."""
    reached: list[str] = field(default_factory=list[str])
    """Every request that came to the service."""

    async def ask(self, path: str, *headers: tuple[str, str], method: str = "GET", body: bytes = b"") -> Reply:
        """Send exactly these bytes: whatever a client of HTTP would mend or refuse is for nginx to see."""
        fields = [("Host", SHOP), *headers, ("Connection", "close")]
        if body:
            fields.append(("Content-Length", str(len(body))))
        head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields) + "\r\n"
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(head.encode("latin-1") + body)
            async with asyncio.timeout(10):
                return await _reply(reader)
        finally:
            writer.close()


async def _reply(reader: asyncio.StreamReader) -> Reply:
    """Read no further than the answer goes: Envoy keeps what it refused open for another second."""
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if "content-length" in headers:
        body = await reader.readexactly(int(headers["content-length"]))
    else:
        body = await reader.read()
        if headers.get("transfer-encoding") == "chunked":
            body = b"".join(body.split(b"\r\n")[1::2])
    return Reply(int(first.split(" ")[1]), headers, body)


@asynccontextmanager
async def behind_nginx(program: Path, folder: Path, minos: App) -> AsyncGenerator[Gateway]:
    """Run nginx as it is shipped but for addresses and names."""
    async with _between(minos) as (gateway, changed):
        shutil.copytree(DEPLOY / "nginx", folder, dirs_exist_ok=True)
        changed["listen 8080"] = f"listen 127.0.0.1:{gateway.port}"
        _adapt(folder, changed)
        nginx.configured(folder, "gateway.conf")
        _open_to_workers(folder)
        async with _running(gateway, program, "-p", str(folder), "-c", "nginx.conf"):
            yield gateway


@asynccontextmanager
async def behind_envoy(program: Path, folder: Path, minos: App) -> AsyncGenerator[Gateway]:
    """Run Envoy as it is shipped but for addresses and names."""
    async with _between(minos) as (gateway, changed):
        shutil.copytree(DEPLOY / "envoy", folder, dirs_exist_ok=True)
        at = "address: 127.0.0.1, port_value: "
        minos_port, service_port = (changed[shipped].rpartition(":")[2] for shipped in ("127.0.0.1:8000", "127.0.0.1:9000"))
        _adapt(folder, {
            "address: 0.0.0.0, port_value: 8080": f"{at}{gateway.port}",
            "address: auth.example.org, port_value: 8000": f"{at}{minos_port}",
            "address: 127.0.0.1, port_value: 9000": f"{at}{service_port}",
            **changed,
        })  # fmt: skip
        quiet = ("--log-level", "error", "--disable-hot-restart", "--concurrency", "1")
        async with _running(gateway, program, "-c", str(folder / "envoy.yaml"), *quiet):
            yield gateway


@asynccontextmanager
async def _between(minos: App) -> AsyncGenerator[tuple[Gateway, dict[str, str]]]:
    """Give a gateway that is not there yet, and what stands for the addresses and names of the configuration."""
    gateway = Gateway(port=_free_port())
    async with _listening(_noting(minos, gateway.asked)) as minos_port, _listening(_telling(gateway.reached)) as service_port:
        yield (
            gateway,
            {
                "127.0.0.1:8000": f"127.0.0.1:{minos_port}",
                "127.0.0.1:9000": f"127.0.0.1:{service_port}",
                "auth.example.org": MINOS,
                "shop.example.org": SHOP,
            },
        )


def _adapt(folder: Path, changed: dict[str, str]) -> None:
    for path in (each for each in folder.rglob("*") if each.suffix in {".conf", ".yaml"}):
        text = path.read_text()
        for shipped, ours in changed.items():
            text = text.replace(shipped, ours)
        path.write_text(text)


def _open_to_workers(folder: Path) -> None:
    """As root, nginx's workers are somebody else, who has to get through to what it keeps here."""
    ours = Path(tempfile.gettempdir())
    folder.chmod(0o755)
    for parent in folder.parents:
        if parent.stat().st_uid == os.getuid() and parent.stat().st_mode & 0o055 != 0o055 and ours in parent.parents:
            parent.chmod(parent.stat().st_mode | 0o011)


@asynccontextmanager
async def _running(gateway: Gateway, program: Path, *arguments: str) -> AsyncGenerator[None]:
    process = await asyncio.create_subprocess_exec(
        str(program), *arguments, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    try:
        await _until_listening(gateway.port, process)
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def _until_listening(port: int, process: asyncio.subprocess.Process | None = None) -> None:
    async with asyncio.timeout(10):
        while True:
            if process is not None and process.returncode is not None:
                raise RuntimeError((await process.communicate())[1].decode(errors="replace"))
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.01)
            else:
                writer.close()
                return


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@asynccontextmanager
async def _listening(app: App) -> AsyncGenerator[int]:
    port = _free_port()
    server = Server(app, port=port, interface=Interfaces.ASGINL, log_enabled=False)
    serving = asyncio.create_task(server.serve())
    try:
        await _until_listening(port)
        yield port
    finally:
        server.stop()
        await serving


def _noting(app: App, asked: list[str]) -> App:
    async def noted(scope: Scope, receive: Receive, send: Send) -> None:
        asked.append(f"{scope['method']} {scope['path']}?{scope['query_string'].decode()}")
        await app(scope, receive, send)

    return noted


def _telling(reached: list[str]) -> App:
    async def service(scope: Scope, receive: Receive, send: Send) -> None:
        reached.append(scope["raw_path"].decode())
        pairs: Sequence[tuple[bytes, bytes]] = scope["headers"]
        told = {
            "method": scope["method"],
            "path": scope["raw_path"].decode(),
            "query": scope["query_string"].decode(),
            "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in pairs],
            "body": (await receive()).get("body", b"").decode(),
        }
        body = json.dumps(told).encode()
        repeated = [(name.removeprefix(b"repeat-"), value) for name, value in pairs if name.startswith(b"repeat-")]
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body)), *repeated]})
        await send({"type": "http.response.body", "body": body})

    return service
