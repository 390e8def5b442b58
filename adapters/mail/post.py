"""Who a message is handed over to, as a shape, and the two ways in which that fails."""

from email.message import EmailMessage
from typing import Protocol


class Undeliverable(Exception):
    """It will never be taken. `reason` is a slug; what a server said is left out, for it quotes addresses."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TryLater(Exception):
    """Not taken now, or not known to have been."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Post(Protocol):
    """Takes one message for good before it returns. Raises Undeliverable, TryLater."""

    async def send(self, message: EmailMessage) -> None: ...
