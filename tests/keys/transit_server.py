"""A KMS for tests: the part of the transit engine's HTTP API that we use, as it is documented, with AES-256-GCM and versions of keys.

`hvac`, which is a client of the real engine, encrypts, rewraps and decrypts with it as it does with that.
"""

import base64
import json
import os
import ssl
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

TOKEN = "hvs.of-the-tests"


class Engine:
    """Keys by name, each a list of versions. `fails`: answers to give before any other, by status."""

    def __init__(self) -> None:
        self.keys: dict[str, list[bytes]] = {}
        self.token = TOKEN
        self.namespace = ""
        self.fails: list[int] = []
        self.asked: list[str] = []

    def rotate(self, name: str) -> None:
        self.keys.setdefault(name, []).append(os.urandom(32))

    def answer(self, path: str, headers: Any, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.asked.append(path)
        if self.fails:
            return self.fails.pop(0), {"errors": ["not now"]}
        if headers.get("X-Vault-Token") != self.token or headers.get("X-Vault-Namespace", "") != self.namespace:
            return 403, {"errors": ["permission denied"]}
        mount, _, rest = path.removeprefix("/v1/").partition("/")
        what, _, name = rest.partition("/")
        if mount != "transit":
            return 404, {"errors": [f'no handler for route "{path}"']}
        if what == "encrypt" and name not in self.keys:
            self.rotate(name)  # as the engine does for who may create keys
        if name not in self.keys:
            return 400, {"errors": ["encryption key not found"]}
        try:
            return 200, {"data": self._done(what, name, body)}
        except (ValueError, KeyError, InvalidTag):
            return 400, {"errors": ["invalid ciphertext: unable to decrypt"]}

    def _done(self, what: str, name: str, body: dict[str, Any]) -> dict[str, Any]:
        match what:
            case "encrypt":
                return self._sealed(name, base64.b64decode(body["plaintext"], validate=True))
            case "decrypt":
                return {"plaintext": base64.b64encode(self._opened(name, body["ciphertext"])).decode()}
            case "rewrap":
                return self._sealed(name, self._opened(name, body["ciphertext"]))
            case _:
                raise KeyError(what)

    def _sealed(self, name: str, plain: bytes) -> dict[str, Any]:
        version = len(self.keys[name])
        nonce = os.urandom(12)
        box = nonce + AESGCM(self.keys[name][version - 1]).encrypt(nonce, plain, None)
        return {"ciphertext": f"vault:v{version}:{base64.b64encode(box).decode()}", "key_version": version}

    def _opened(self, name: str, ciphertext: str) -> bytes:
        kind, version, text = ciphertext.split(":")
        if kind != "vault":
            raise ValueError(kind)
        box = base64.b64decode(text, validate=True)
        return AESGCM(self.keys[name][int(version.removeprefix("v")) - 1]).decrypt(box[:12], box[12:], None)


@contextmanager
def serving(engine: Engine, *, certificate: ssl.SSLContext | None = None, port: int = 0) -> Generator[str]:
    """Give the address it is at for as long as the block runs. `certificate`: for https."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, said = engine.answer(self.path, self.headers, body)
            answer = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_PUT = do_POST  # noqa: N815 - as above: `vault write` puts

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name the standard library has
            """Nothing is told."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    if certificate is not None:
        server.socket = certificate.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"{'http' if certificate is None else 'https'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
