"""Asking for mail: budgets counted and a row written in one statement; the address sealed under a key that is not in the database."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from adapters.macs import mac
from adapters.postgres_links import Links
from adapters.postgres_sql import statements
from adapters.random import SystemRandomness
from adapters.secrets_store import Purpose, Secrets
from commands.ports import Budget, Letter

SQL = statements(Path(__file__).with_suffix(".sql"))


class MailBoxes:
    """What the ledger holds closed (AES-SIV, RFC 5297), bound to the mail it belongs to."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    def seal(self, text: str, mail_id: UUID) -> bytes:
        versions = self._secrets.of(Purpose.MAIL_ADDRESS)
        version = versions.current.to_bytes(2, "big")
        return version + AESSIV(versions.key).encrypt(text.encode(), [version, mail_id.bytes])

    def open(self, box: bytes, mail_id: UUID) -> str | None:
        """None for what was not sealed here for this mail."""
        key = self._secrets.of(Purpose.MAIL_ADDRESS).keys.get(int.from_bytes(box[:2], "big"))
        if key is None:
            return None
        try:
            return AESSIV(key).decrypt(box[2:], [box[:2], mail_id.bytes]).decode()
        except (InvalidTag, ValueError):
            return None


class PostgresMailbox:
    """commands.ports.mail.Mailbox."""

    def __init__(self, links: Links, secrets: Secrets) -> None:
        self._links = links
        self._secrets = secrets
        self._boxes = MailBoxes(secrets)
        self._random = SystemRandomness()

    async def ask(self, letter: Letter, *, to: str | UUID, budgets: Sequence[Budget], keep_s: int, about: UUID | None = None) -> int:
        mail_id = self._random.uuid7()
        ((wait_s,),) = await self._links.run(
            SQL["ask"],
            *self._columns(budgets),
            mail_id,
            letter,
            to if isinstance(to, UUID) else None,
            self._boxes.seal(to, mail_id) if isinstance(to, str) else None,
            msgspec.json.encode({"at": datetime.now(UTC), **({} if about is None else {"subject_id": about})}),
            keep_s,
        )
        return int(wait_s)

    async def spend(self, budgets: Sequence[Budget]) -> int:
        ((wait_s,),) = await self._links.run(SQL["spend"], *self._columns(budgets))
        return int(wait_s)

    async def hold(self, pending_id: UUID, content: str, letter: Letter, *, to: str, budgets: Sequence[Budget], keep_s: int) -> int:
        ((wait_s,),) = await self._links.run(
            SQL["hold"],
            *self._columns(budgets),
            pending_id,
            letter,
            self._boxes.seal(to, pending_id),
            msgspec.json.encode({"at": datetime.now(UTC)}),
            keep_s,
            self._boxes.seal(content, pending_id),
        )
        return int(wait_s)

    async def pending(self, pending_id: UUID) -> str | None:
        rows = await self._links.read(SQL["pending"], pending_id)
        return self._boxes.open(rows[0][0], pending_id) if rows else None

    async def forget_pending(self, pending_id: UUID) -> None:
        await self._links.read(SQL["forget_pending"], pending_id)

    def _columns(self, budgets: Sequence[Budget]) -> tuple[list[bytes], list[int], list[int]]:
        key = self._secrets.of(Purpose.MAIL_BUDGET).key
        keys = [mac(key, budget.kind, budget.of) for budget in budgets]
        return keys, [budget.most for budget in budgets], [budget.seconds for budget in budgets]
