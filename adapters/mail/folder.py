"""A folder as a post office: for trying out, where nobody has set up mail."""

import asyncio
import re
from email.message import EmailMessage
from pathlib import Path

from adapters.mail.post import TryLater


class FolderPost:
    """Writes each message to `<Message-ID's first part>.eml`: one that comes again takes the place of its first copy."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def send(self, message: EmailMessage) -> None:
        try:
            await asyncio.to_thread(self._write, message)
        except OSError as error:
            raise TryLater("folder_not_written") from error

    def _write(self, message: EmailMessage) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = re.sub(r"[^0-9a-f-]", "", str(message["Message-ID"]).partition("@")[0])
        scratch = self._folder / f"{name}.part"
        scratch.write_bytes(message.as_bytes())
        scratch.rename(self._folder / f"{name}.eml")
