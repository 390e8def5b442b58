"""`reference/openapi.json`: the document the API itself serves at `/openapi.json`."""

from functools import cache

import msgspec

from api.openapi import described
from api.routes import ROUTES


@cache
def page() -> str:
    return msgspec.json.format(msgspec.json.encode(described(tuple(ROUTES)), order="sorted"), indent=1).decode() + "\n"
