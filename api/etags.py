"""Answers that need not be sent again (RFC 9110 13.1.2)."""

from typing import Annotated

from litestar.openapi.datastructures import ResponseSpec
from litestar.params import HeaderParameter

NOT_CHANGED = {304: ResponseSpec(None, generate_examples=False, description="Not changed since that ETag.")}
IfNoneMatch = Annotated[str | None, HeaderParameter(name="If-None-Match", max_length=200, description="The ETag known already.")]


def is_known(etag: str, known: str | None) -> bool:
    """Tell whether what the caller has is that, by the value of their If-None-Match."""
    return known is not None and (known == "*" or etag in (part.strip().removeprefix("W/") for part in known.split(",")))
