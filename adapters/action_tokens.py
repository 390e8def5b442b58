"""Action tokens: `mat_` and what only we can read, sealed with AES-SIV under keys for nothing else (threats.md 5 and 14)."""

import msgspec

from adapters.opaque_tokens import Boxes
from adapters.secrets_store import Purpose, Secrets
from commands.ports import ActionClaims

PREFIX = "mat_"
_to_msgpack = msgspec.msgpack.Encoder()
_from_msgpack = msgspec.msgpack.Decoder(ActionClaims)


class SealedActionTokens:
    """commands.ports.ActionTokens."""

    def __init__(self, secrets: Secrets) -> None:
        self._boxes = Boxes(secrets, Purpose.ACTION_TOKEN)

    def make(self, claims: ActionClaims) -> str:
        return PREFIX + self._boxes.seal(_to_msgpack.encode(claims))

    def read(self, token: str) -> ActionClaims | None:
        raw = self._boxes.open(token.removeprefix(PREFIX)) if token.startswith(PREFIX) else None
        return None if raw is None else _from_msgpack.decode(raw)
