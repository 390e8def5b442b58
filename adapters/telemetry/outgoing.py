"""How telemetry leaves: to the named address and no other, and whatever answers there is not taken into memory as a whole."""

from typing import Any

from adapters.telemetry.chosen import library

_LARGEST_ANSWER = 64 * 1024
"""Bytes. What a collector has to say of what it got is some hundred."""
_PIECE = 8 * 1024


def session() -> Any:
    """Give what the library's exporters send with. What it raises of an answer without end they take for a collector that is away."""
    requests = library("requests")
    made = requests.Session()
    send = made.send

    def guarded(request: Any, **how: Any) -> Any:
        answer = send(request, **{**how, "stream": True, "allow_redirects": False})
        body = b""
        for piece in answer.iter_content(_PIECE):
            body += piece
            if len(body) > _LARGEST_ANSWER:
                answer.close()
                raise requests.exceptions.ContentDecodingError("the collector's answer is too large")
        answer._content = body  # noqa: SLF001 - where what was read beforehand goes
        return answer

    made.send = guarded
    return made
