"""Submits checkpoints to a witness over HTTP, one at a time, and believes nothing that comes back."""

from concurrent.futures import Executor
from urllib.parse import urlsplit

from msgspec import Struct

from adapters.http_question import HttpServer, NoAnswer

TIMEOUT_S = 3.0
"""For connecting, and for each piece of an answer."""
WHOLE_S = 5.0
LONGEST_ANSWER = 65_536
_HEADERS = {"Content-Type": "text/plain; charset=utf-8", "User-Agent": "minos"}


class WitnessAway(Exception):
    """No whole answer came in time. The message says in a word what did."""


class Reply(Struct, frozen=True, kw_only=True):
    status: int
    body: str
    media_type: str


class WitnessLine:
    """`url` is the submission prefix. Redirects are not followed: the answer counts by its signature, the question is public."""

    def __init__(self, url: str, executor: Executor) -> None:
        parts = urlsplit(url)
        self._server = HttpServer(parts, piece_s=TIMEOUT_S, whole_s=WHOLE_S, longest=LONGEST_ANSWER, executor=executor)
        self._path = f"{parts.path.rstrip('/')}/add-checkpoint"

    async def add(self, submission: bytes) -> Reply:
        """Raises WitnessAway."""
        try:
            answer = await self._server.ask("POST", self._path, submission, _HEADERS)
            return Reply(status=answer.status, body=answer.body.decode(), media_type=answer.headers.get_content_type())
        except NoAnswer as none:
            raise WitnessAway(str(none)) from None
        except UnicodeDecodeError as error:
            raise WitnessAway(type(error).__name__) from None
