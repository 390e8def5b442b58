"""How better-auth's OAuth provider is talked to: codes become tokens once, which are then refreshed, shown and asked about."""

import hashlib
import secrets
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import parse_qs, urlencode, urlsplit

from bench.load import form_request, request
from bench.peers.asking import Received, asked
from bench.peers.better_auth import BetterAuth, email_of
from bench.peers.target import Work

_TOKEN = "/api/auth/oauth2/token"  # noqa: S105 - a path
_RESOURCE = "https://api.example.org"
_CALLBACK = "https://app.example.org/callback"


class BetterAuthOAuth(BetterAuth):
    folder = "better-auth-oauth"
    hashing = ()

    async def prepare(self, people: int) -> None:
        await super().prepare(people)
        made = asked(self.port, request("GET", "/bench/clients")).json
        self._app, self._machine = made["app"], made["machine"]
        self._pairs = [self._pair(number) for number in range(people)]

    def work(self, operation: str, connections: int) -> Work:
        pairs = self._pairs[:connections]
        match operation:
            case "session":
                texts = [request("GET", "/api/auth/oauth2/userinfo", token=pair["access_token"]) for pair in pairs]
                return Work(requests=texts, holds=[email_of(number) for number in range(connections)])
            case "refresh":
                text = form_request(_TOKEN, {"grant_type": "refresh_token", "refresh_token": "<refresh>"}, basic=_basic(self._app))
                tokens = [pair["refresh_token"] for pair in pairs]
                return Work(requests=[text] * connections, tokens=tokens, holds=['"access_token":"'] * connections)
            case "client_token":
                return Work(requests=[self._granted(resource=_RESOURCE)] * connections, holds=['"access_token":"ey'] * connections)
            case "introspection":
                token = asked(self.port, self._granted()).json["access_token"]
                fields = {"token": token, "token_type_hint": "access_token"}
                text = form_request("/api/auth/oauth2/introspect", fields, basic=_basic(self._machine))
                return Work(requests=[text] * connections, holds=['"active":true'] * connections)
            case _:
                return super().work(operation, connections)

    def _granted(self, **more: str) -> str:
        return form_request(_TOKEN, {"grant_type": "client_credentials", "scope": "read", **more}, basic=_basic(self._machine))

    def _pair(self, number: int) -> dict[str, str]:
        """Sign one person in to the app by a code."""
        verifier = secrets.token_urlsafe(48)
        fields = {
            "grant_type": "authorization_code", "code": self._code(number, verifier), "redirect_uri": _CALLBACK, "code_verifier": verifier,
        }  # fmt: skip
        pair: dict[str, str] = asked(self.port, form_request(_TOKEN, fields, basic=_basic(self._app))).json
        return pair

    def _code(self, number: int, verifier: str) -> str:
        challenge = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = urlencode({
            "response_type": "code", "client_id": self._app["client_id"], "redirect_uri": _CALLBACK, "state": f"person-{number}",
            "scope": "openid email offline_access", "code_challenge": challenge, "code_challenge_method": "S256",
        })  # fmt: skip
        asking = request("GET", f"/api/auth/oauth2/authorize?{query}", token=self._tokens[number])
        return _code_in(asked(self.port, asking))


def _code_in(answer: Received) -> str:
    """It redirects, or says in JSON where it would."""
    to = answer.headers["location"] or answer.json["url"]
    return parse_qs(urlsplit(to).query)["code"][0]


def _basic(client: dict[str, str]) -> str:
    return b64encode(f"{client['client_id']}:{client['client_secret']}".encode()).decode()
