"""How oidc-provider is talked to. It has no passwords: its program has a path where a run gets what a sign-in would have ended with."""

from base64 import b64encode

from bench.load import form_request, request
from bench.peers.asking import asked
from bench.peers.peer import Peer
from bench.peers.target import Work

_RESOURCE = "https://api.example.org"


class OidcProvider(Peer):
    folder = "oidc-provider"
    ready = "/.well-known/openid-configuration"

    async def prepare(self, people: int) -> None:
        self._refresh_tokens: list[str] = []
        self._access_tokens: list[str] = []
        for number in range(people):
            first = asked(self.port, request("GET", f"/bench/sign-in?person=person-{number}")).json["refresh_token"]
            pair = asked(self.port, self._refreshing(first)).json
            self._refresh_tokens.append(pair["refresh_token"])
            self._access_tokens.append(pair["access_token"])

    def work(self, operation: str, connections: int) -> Work:
        match operation:
            case "session":
                texts = [request("GET", "/me", token=token) for token in self._access_tokens[:connections]]
                return Work(requests=texts, holds=[f'"person-{number}"' for number in range(connections)])
            case "refresh":
                text, tokens = self._refreshing("<refresh>"), self._refresh_tokens[:connections]
                return Work(requests=[text] * connections, tokens=tokens, holds=['"id_token":"'] * connections)
            case "client_token":
                return Work(requests=[self._granted(resource=_RESOURCE)] * connections, holds=['"access_token":"ey'] * connections)
            case "introspection":
                token = asked(self.port, self._granted()).json["access_token"]
                text = form_request("/token/introspection", {"token": token}, basic=self._basic("machine"))
                return Work(requests=[text] * connections, holds=['"active":true'] * connections)
            case _:
                return Work(requests=[request("GET", "/jwks")] * connections, holds=['"keys":['] * connections)

    def _refreshing(self, token: str) -> str:
        return form_request("/token", {"grant_type": "refresh_token", "refresh_token": token}, basic=self._basic("app"))

    def _granted(self, **more: str) -> str:
        return form_request("/token", {"grant_type": "client_credentials", "scope": "read", **more}, basic=self._basic("machine"))

    def _basic(self, client: str) -> str:
        return b64encode(f"{client}:{self.secret}".encode()).decode()
