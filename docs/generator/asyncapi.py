"""`reference/asyncapi.json`: the document the API itself serves at `/asyncapi.json`."""

from functools import cache

import msgspec

from api.asyncapi import described


@cache
def page() -> str:
    return msgspec.json.format(msgspec.json.encode(described(), order="sorted"), indent=1).decode() + "\n"
