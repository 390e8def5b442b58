"""A mailer of the settings, with what it needs opened when it runs: it reads addresses, so it holds the keys that open them."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from adapters.mail.folder import FolderPost
from adapters.mail.post import Post
from adapters.mail.server import server_of
from adapters.settings import Settings
from workers.hints import Hint
from workers.mailer.ledger import Figures
from workers.mailer.mailer import Mailer, Settled
from workers.mailer.writing import Desk
from workers.remembered import Remembered

if TYPE_CHECKING:
    from adapters.ports import Opened


def post_of(settings: Settings) -> Post | None:
    """The server that is set; in development a folder where none is; else None, and nothing is sent."""
    if settings.smtp_url is not None:
        from adapters.mail.smtp import SmtpPost

        return SmtpPost(server_of(settings.smtp_url.reveal()), ca_file=settings.smtp_ca_file)
    return None if settings.in_production else FolderPost(settings.data_dir / "mail")


def desk_of(settings: Settings, opened: "Opened") -> Desk:
    return Desk(opened.ports, opened.mail_boxes, settings.mail_from, settings.mail_language, settings.link_url)


class OpenedMailer:
    def __init__(
        self,
        settings: Settings,
        *,
        hint: Hint,
        remembered: Remembered,
        settled: Callable[[Settled], None],
        observe: Callable[[Figures], None],
    ) -> None:
        self._settings, self._remembered = settings, remembered
        self._hint, self._settled, self._observe = hint, settled, observe

    async def run(self, stop: asyncio.Event) -> None:
        """Raises StoreUnavailable, NoMasterKey, CannotUnwrap: call it again then."""
        from adapters.ports import NoDatabase, open_ports

        settings = self._settings
        if settings.database_url is None:
            raise NoDatabase("set MINOS_DATABASE_URL")
        async with open_ports(settings) as opened:
            desk = desk_of(settings, opened)
            mailer = Mailer(
                settings.database_url.reveal(), post_of(settings), desk, hint=self._hint, settled=self._settled, observe=self._observe
            )
            with self._remembered.by(opened.vault.forget_all):
                await mailer.run(stop)
