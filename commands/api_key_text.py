"""How an API key is written: `mk_<env>_<id>_<secret><checksum>`. The id is no secret; the checksum tells a typo without a look-up."""

import re
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from commands.ports import Ports, SecretKind
from domain.api_key import KeyDigest, Live, secrets
from domain.ids import KeyId
from domain.secret_text import is_written, written

MARK = "mk_"
LONGEST = 128
_SHAPE = re.compile(r"(?=(mk_[a-z]+_[0-9a-f]{32}_))mk_(dev|live)_([0-9a-f]{32})_[0-9A-Za-z]{49}")


class PresentedKey(Struct, frozen=True, kw_only=True):
    """A key somebody showed, of the right shape and checksum. Says nothing yet of its being genuine."""

    key_id: KeyId
    text: str

    def __repr__(self) -> str:
        return f"PresentedKey(key_id={self.key_id})"


def new_key_text(key_id: KeyId, raw: bytes, ports: Ports) -> str:
    return written(_prefix(key_id, ports.policy.key_environment), raw)


def read_key_text(text: str, environment: str) -> PresentedKey | None:
    """Take a key apart; None for what is not one of ours, or was mistyped."""
    shape = _SHAPE.fullmatch(text) if len(text) <= LONGEST else None
    if shape is None or shape[2] != environment or not is_written(text, shape[1]):
        return None
    return PresentedKey(key_id=KeyId(UUID(hex=shape[3])), text=text)


def kept(key_id: KeyId, text: str, ports: Ports) -> KeyDigest:
    mac = ports.macs.secret(SecretKind.API_KEY, str(key_id), text)
    return KeyDigest(digest=mac.digest, key_version=mac.key_version)


def is_genuine(shown: PresentedKey, key: Live, ports: Ports, *, at: datetime) -> bool:
    """Compare with every secret the key has now, in the same time whichever it is."""
    compared = [
        ports.macs.secret_matches(SecretKind.API_KEY, str(shown.key_id), shown.text, digest=one.digest, key_version=one.key_version)
        for one in secrets(key, at=at)
    ]
    return any(compared)


def _prefix(key_id: KeyId, environment: str) -> str:
    return f"{MARK}{environment}_{key_id.hex}_"
