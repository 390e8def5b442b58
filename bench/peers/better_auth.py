"""How better-auth is talked to: people with addresses and passwords, who carry the token of a session that is a row."""

from collections.abc import Sequence
from typing import ClassVar

from bench.load import request
from bench.over_http import PASSWORD
from bench.peers.asking import Received, asked
from bench.peers.peer import Peer
from bench.peers.target import Work


class BetterAuth(Peer):
    folder = "better-auth"
    ready = "/api/auth/ok"
    migration = ("node", "migrate.mjs")
    hashing: ClassVar[Sequence[str]] = ("node", "hash.mjs")

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def prepare(self, people: int) -> None:
        asked(self.port, request("GET", "/api/auth/jwks"))  # the first who asks has the keys made
        self._tokens = [self._signed_up(email_of(number)).headers["set-auth-token"] for number in range(people)]

    def work(self, operation: str, connections: int) -> Work:
        everybody = range(connections)
        match operation:
            case "session":
                texts = [request("GET", "/api/auth/get-session", token=token) for token in self._tokens[:connections]]
                return Work(requests=texts, holds=[email_of(number) for number in everybody])
            case "sign_in":
                return Work(requests=[self.sign_in(number) for number in everybody], holds=['"token":"'] * connections)
            case "register":
                texts = [self._sign_up(f"new-{number}-<number>@example.org") for number in everybody]
                return Work(requests=texts, holds=['"token":"'] * connections)
            case _:
                return Work(requests=[request("GET", "/api/auth/jwks")] * connections, holds=['"keys":['] * connections)

    def sign_in(self, number: int) -> str:
        body = {"email": email_of(number), "password": PASSWORD}
        return request("POST", "/api/auth/sign-in/email", body=body, origin=self.origin)

    def _sign_up(self, email: str) -> str:
        body = {"email": email, "password": PASSWORD, "name": "Somebody"}
        return request("POST", "/api/auth/sign-up/email", body=body, origin=self.origin)

    def _signed_up(self, email: str) -> Received:
        return asked(self.port, self._sign_up(email))


def email_of(number: int) -> str:
    return f"person-{number}@example.org"
