"""Sign-in challenges sealed, and recovery codes' verifiers: each under keys of its own purpose."""

from collections.abc import Sequence

import msgspec

from adapters.macs import mac
from adapters.opaque_tokens import Boxes
from adapters.secrets_store import Purpose, Secrets
from commands.ports import Challenge
from domain.ids import UserId

PREFIX = "mch_"
_RECOVERY_LABEL = "minos recovery code v1"
_read: msgspec.msgpack.Decoder[Challenge] = msgspec.msgpack.Decoder(Challenge)


class SealedChallenges:
    """commands.ports.Challenges."""

    def __init__(self, secrets: Secrets) -> None:
        self._boxes = Boxes(secrets, Purpose.SIGN_IN_CHALLENGE)

    def seal(self, challenge: Challenge) -> str:
        return PREFIX + self._boxes.seal(msgspec.msgpack.encode(challenge))

    def open(self, token: str) -> Challenge | None:
        raw = self._boxes.open(token.removeprefix(PREFIX)) if token.startswith(PREFIX) else None
        return None if raw is None else _read.decode(raw)


class KeyedRecoveryMacs:
    """commands.ports.RecoveryMacs."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    def verifier(self, user_id: UserId, code: str) -> bytes:
        return _verifier(self._secrets.of(Purpose.RECOVERY_CODE).key, user_id, code)

    def candidates(self, user_id: UserId, code: str) -> Sequence[bytes]:
        return [_verifier(key, user_id, code) for key in self._secrets.of(Purpose.RECOVERY_CODE).keys.values()]


def _verifier(key: bytes, user_id: UserId, code: str) -> bytes:
    return mac(key, _RECOVERY_LABEL, user_id.bytes, code)
