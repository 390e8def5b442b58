"""Sign-in challenges sealed, and recovery codes' verifiers: each under keys of its own purpose."""

from collections.abc import Sequence
from hmac import compare_digest
from uuid import UUID

import msgspec

from adapters.macs import mac
from adapters.opaque_tokens import Boxes
from adapters.secrets_store import Purpose, Secrets
from commands.ports import Challenge
from domain.ids import UserId

PREFIX = "mch_"
_RECOVERY_LABEL = "minos recovery code v1"
_MAIL_CODE_LABEL = "minos mail code v1"
MAIL_CODE_DIGITS = 6
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


class DerivedMailCodes:
    """commands.ports.MailCodes. The last digits of a number of 128 bits: no digits are likelier than others by more than 2^-100."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    def code(self, code_id: UUID, user_id: UserId) -> str:
        return _mail_code(self._secrets.of(Purpose.MAIL_CODE).key, code_id, user_id)

    def matches(self, code: str, code_id: UUID, user_id: UserId) -> bool:
        keys = self._secrets.of(Purpose.MAIL_CODE).keys.values()
        return any(compare_digest(_mail_code(key, code_id, user_id).encode(), code.encode()) for key in keys)


def _mail_code(key: bytes, code_id: UUID, user_id: UserId) -> str:
    number = int.from_bytes(mac(key, _MAIL_CODE_LABEL, code_id.bytes, user_id.bytes)[:16], "big")
    return f"{number % 10**MAIL_CODE_DIGITS:0{MAIL_CODE_DIGITS}}"


def _verifier(key: bytes, user_id: UserId, code: str) -> bytes:
    return mac(key, _RECOVERY_LABEL, user_id.bytes, code)
