"""The shipped configuration of nginx, run for real: the authority behind it on one side, a service on the other that tells what it got."""

import asyncio
import json
import os
import shutil
import socket
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from granian.constants import Interfaces
from granian.server.embed import Server

from api.asgi import App, Receive, Scope, Send
from docs.console.authority import ROOT

SHIPPED = ROOT / "deploy" / "nginx"
MINOS = "auth.minos.example"
_AROUND = """
worker_processes 1;
daemon off;
pid nginx.pid;
error_log stderr error;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {more}
    include gateway.conf;
}}
"""


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
    asked: list[str] = field(default_factory=list[str])
    """Every question that came to Minos by way of nginx, as path and query."""
    reached: list[str] = field(default_factory=list[str])
    """Every request that came to the service."""

    async def ask(self, path: str, *headers: tuple[str, str], method: str = "GET", body: bytes = b"") -> Reply:
        """Send exactly these bytes: whatever a client of HTTP would mend or refuse is for nginx to see."""
        fields = [("Host", "shop.example.org"), *headers, ("Connection", "close")]
        if body:
            fields.append(("Content-Length", str(len(body))))
        head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields) + "\r\n"
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(head.encode("latin-1") + body)
            async with asyncio.timeout(10):
                return _reply(await reader.read())
        finally:
            writer.close()


def _reply(raw: bytes) -> Reply:
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if headers.get("transfer-encoding") == "chunked":
        body = b"".join(body.split(b"\r\n")[1::2])
    return Reply(int(first.split(" ")[1]), headers, body)


@asynccontextmanager
async def behind_nginx(program: Path, folder: Path, minos: App, *, more: str = "") -> AsyncGenerator[Gateway]:
    """Run nginx as it is shipped but for addresses and names. `more` goes into its `http`."""
    gateway = Gateway(port=_free_port())
    async with _listening(_noting(minos, gateway.asked)) as minos_port, _listening(_telling(gateway.reached)) as service_port:
        _write(folder, more, {"127.0.0.1:8000": f"127.0.0.1:{minos_port}", "127.0.0.1:9000": f"127.0.0.1:{service_port}",
                              "listen 8080": f"listen 127.0.0.1:{gateway.port}", "auth.example.org": MINOS})  # fmt: skip
        arguments = ("-p", str(folder), "-c", "nginx.conf")
        process = await asyncio.create_subprocess_exec(str(program), *arguments, stderr=asyncio.subprocess.PIPE)
        try:
            await _until_listening(gateway.port, process)
            yield gateway
        finally:
            if process.returncode is None:
                process.terminate()
            await process.communicate()


def _write(folder: Path, more: str, changed: dict[str, str]) -> None:
    shutil.copytree(SHIPPED, folder, dirs_exist_ok=True)
    for path in folder.rglob("*.conf"):
        text = path.read_text()
        for shipped, ours in changed.items():
            text = text.replace(shipped, ours)
        path.write_text(text)
    (folder / "nginx.conf").write_text(_AROUND.format(folder=folder, more=more))
    folder.chmod(0o755)  # as root, its workers are somebody else
    for parent in folder.parents:
        if parent.stat().st_uid == os.getuid() and parent.stat().st_mode & 0o055 != 0o055 and str(parent).startswith("/tmp/"):
            parent.chmod(parent.stat().st_mode | 0o011)


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
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
        await send({"type": "http.response.body", "body": body})

    return service
