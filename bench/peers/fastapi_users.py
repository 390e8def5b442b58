"""How fastapi-users is talked to, with either of its strategies: a signed token and a look at the user, or a row for each token."""

from collections.abc import Sequence
from typing import ClassVar
from urllib.parse import urlencode

from bench.load import request
from bench.over_http import PASSWORD
from bench.peers.asking import asked
from bench.peers.better_auth import email_of
from bench.peers.peer import Peer
from bench.peers.target import Work

_PYTHON = "venv/bin/python"


class FastapiUsers(Peer):
    folder = "fastapi-users"
    ready = "/ready"
    migration = (_PYTHON, "app.py")
    hashing = (_PYTHON, "hash.py")
    strategy: ClassVar[str] = "jwt"

    def command(self) -> Sequence[str]:
        options = ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
        return [_PYTHON, "-m", "uvicorn", "app:app", "--host", "127.0.0.1", "--port", str(self.port), *options]

    async def prepare(self, people: int) -> None:
        for number in range(people):
            asked(self.port, _registration(email_of(number)))
        self._tokens: list[str] = [asked(self.port, self._sign_in(number)).json["access_token"] for number in range(people)]

    def work(self, operation: str, connections: int) -> Work:
        everybody = range(connections)
        match operation:
            case "session":
                texts = [request("GET", f"/{self.strategy}/users/me", token=token) for token in self._tokens[:connections]]
                return Work(requests=texts, holds=[email_of(number) for number in everybody])
            case "sign_in":
                return Work(requests=[self._sign_in(number) for number in everybody], holds=['"access_token":"'] * connections)
            case _:
                texts = [_registration(f"new-{number}-<number>@example.org") for number in everybody]
                return Work(requests=texts, holds=['"id":"'] * connections)

    def _sign_in(self, number: int) -> str:
        form = urlencode({"username": email_of(number), "password": PASSWORD})
        lines = [f"POST /{self.strategy}/login HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/x-www-form-urlencoded"]
        return "\r\n".join([*lines, f"Content-Length: {len(form)}"]) + "\r\n\r\n" + form


class FastapiUsersDatabase(FastapiUsers):
    strategy = "database"


def _registration(email: str) -> str:
    return request("POST", "/register", body={"email": email, "password": PASSWORD})
