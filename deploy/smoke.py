#!/usr/bin/env python3
"""Whether an installation does its work: registers somebody new, signs them in, refreshes, signs them out, and sees them refused.

    smoke.py https://auth.example.org

Needs registration to be open. The account stays, without a role of its own and signed out; its password is kept nowhere. Asks over the
network and needs nothing of Minos: it runs wherever there is Python. 0 when all went as it should, 1 with the step that did not.
"""

import json
import secrets
import sys
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

TIMEOUT_S = 15


class Failed(Exception):
    """What was asked, and what came."""


class Installation:
    """One person's way through it. Raises Failed."""

    def __init__(self, base: str) -> None:
        self._base = base.rstrip("/")

    def ask(self, method: str, path: str, expected: int, body: dict[str, str] | None = None, token: str = "") -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if body is not None:
            headers["Content-Type"] = "application/json"
        request = Request(self._base + path, json.dumps(body).encode() if body is not None else None, headers, method=method)
        try:
            with urlopen(request, timeout=TIMEOUT_S) as answer:
                status, text = answer.status, answer.read()
        except HTTPError as refused:
            status, text = refused.code, refused.read()
        except URLError as error:
            raise Failed(f"{method} {path}: {error.reason}") from error
        if status != expected:
            raise Failed(f"{method} {path}: {status} in place of {expected}: {text.decode(errors='replace')[:300]}")
        print(f"{status} {method} {path}", flush=True)
        given: dict[str, Any] = json.loads(text) if text and status < 400 else {}
        return given


def go(base: str) -> None:
    minos = Installation(base)
    somebody = {"email": f"smoke-{secrets.token_hex(6)}@example.org", "password": secrets.token_urlsafe(18)}
    minos.ask("GET", "/health/ready", 200)
    minos.ask("GET", "/.well-known/jwks.json", 200)
    minos.ask("POST", "/api/v1/auth/register", 201, somebody)
    first = minos.ask("POST", "/api/v1/auth/login", 200, somebody)
    minos.ask("GET", "/api/v1/auth/session", 200, token=first["access_token"])
    second = minos.ask("POST", "/api/v1/auth/refresh", 200, {"refresh_token": first["refresh_token"]})
    minos.ask("POST", "/api/v1/auth/logout", 204, token=second["access_token"])
    minos.ask("GET", "/api/v1/auth/session", 401, token=second["access_token"])


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or not arguments[0].startswith(("http://", "https://")):
        print("usage: smoke.py https://auth.example.org", file=sys.stderr)
        return 2
    try:
        go(arguments[0])
    except Failed as error:
        print(f"smoke: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
