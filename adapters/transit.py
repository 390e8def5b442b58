"""A key that never leaves its KMS: the transit engine of HashiCorp Vault and of those compatible with it, over HTTP.

Asked at the start of a process and by `minos keys rewrap`, never while a request waits.
"""

import asyncio
import base64
import http
import ssl
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from adapters.http_question import HttpServer, NoAnswer
from adapters.secret import Secret
from adapters.settings import Settings

TIMEOUT_S = 5.0
"""For connecting, and for each piece of an answer."""
WHOLE_S = 6.0
ATTEMPTS = 3
PAUSE_S = 0.2
_LARGEST_ANSWER = 64 * 1024
_PASSING = {408, 412, 429, 472, 473, 500, 502, 503, 504}
"""A node that is sealed, a standby, or only overloaded: another try may meet one that is not."""


class KmsAway(Exception):
    """The KMS does not answer. The message says where it was looked for."""


class KmsRefused(Exception):
    """The KMS answered and refused: the token, the key's name or what was to be opened is not right. Names the status, nothing secret."""


class _Answer(Struct, frozen=True):
    data: dict[str, object]


class Transit:
    """Encrypts, decrypts and rewraps small keys. `name` says which key of which KMS this is."""

    def __init__(
        self, url: str, token: Callable[[], Secret], *, namespace: str = "", ca_file: Path | None = None, pause: float = PAUSE_S
    ) -> None:
        parts = urlsplit(url)
        mount, _, key = parts.path.rpartition("/keys/")
        self.name = f"{parts.netloc}{parts.path}"
        self._url = parts
        self._mount, self._key = mount, key
        self._token = token
        self._namespace, self._ca_file = namespace, ca_file
        self._pause = pause

    @classmethod
    def of(cls, settings: Settings) -> "Transit":
        return cls(
            settings.transit_url, lambda: _token_of(settings), namespace=settings.transit_namespace, ca_file=settings.transit_ca_file
        )

    def __repr__(self) -> str:
        return f"Transit({self.name!r})"

    async def encrypt(self, key: bytes) -> str:
        """Give the ciphertext as the KMS writes it: `vault:v<version>:<base64>`. Raises KmsAway, KmsRefused."""
        return await self._ask("encrypt", "ciphertext", {"plaintext": base64.b64encode(key).decode()})

    async def decrypt(self, ciphertext: str) -> bytes:
        """Raises KmsAway, KmsRefused."""
        encoded = await self._ask("decrypt", "plaintext", {"ciphertext": ciphertext})
        try:
            return base64.b64decode(encoded, validate=True)
        except ValueError:
            raise KmsRefused(f"the KMS at {self.name} gave a key that is no base64") from None

    async def rewrap(self, ciphertext: str) -> str:
        """Have it encrypted by the newest version of the key; the same text where it is. Raises KmsAway, KmsRefused."""
        anew = await self._ask("rewrap", "ciphertext", {"ciphertext": ciphertext})
        return ciphertext if _version(anew) == _version(ciphertext) else anew

    async def _ask(self, what: str, wanted: str, body: dict[str, str]) -> str:
        for attempt in range(ATTEMPTS):
            if attempt:
                await asyncio.sleep(self._pause * 2**attempt)
            try:
                headers = await asyncio.to_thread(self._headers)
                path = f"{self._mount}/{what}/{self._key}"
                answer = await self._server().ask("POST", path, msgspec.json.encode(body), headers)
            except (OSError, NoAnswer):
                continue
            if answer.status == http.HTTPStatus.OK:
                return _member(answer.body, wanted)
            if answer.status not in _PASSING:
                words = f"the KMS at {self.name} refused to {what} ({answer.status}): look at its key, and at what the token may do"
                raise KmsRefused(words)
        raise KmsAway(f"the KMS at {self.name} did not answer in {ATTEMPTS} tries (MINOS_TRANSIT_URL)")

    def _headers(self) -> dict[str, str]:
        headers = {"X-Vault-Token": self._token().reveal(), "X-Vault-Request": "true", "Content-Type": "application/json"}
        return headers | ({"X-Vault-Namespace": self._namespace} if self._namespace else {})

    def _server(self) -> HttpServer:
        """Raises OSError where the file of those to be trusted cannot be read."""
        trust = ssl.create_default_context(cafile=str(self._ca_file)) if self._url.scheme == "https" and self._ca_file else None
        return HttpServer(self._url, piece_s=TIMEOUT_S, whole_s=WHOLE_S, longest=_LARGEST_ANSWER, trust=trust)


def _member(answer: bytes, name: str) -> str:
    try:
        found = msgspec.json.decode(answer, type=_Answer).data.get(name)
    except msgspec.MsgspecError:
        found = None
    if not isinstance(found, str):
        raise KmsRefused("what answers at MINOS_TRANSIT_URL is no transit engine")
    return found


def _version(ciphertext: str) -> list[str]:
    return ciphertext.split(":")[:2]


def _token_of(settings: Settings) -> Secret:
    if settings.transit_token is not None:
        return settings.transit_token
    path = settings.transit_token_path or Path()
    try:
        return Secret(path.read_text().strip())
    except (OSError, UnicodeDecodeError) as error:
        raise KmsRefused(f"MINOS_TRANSIT_TOKEN_PATH: {path} cannot be read ({type(error).__name__})") from None
