"""`reference/openapi.json`: the document the API itself serves, for its default settings."""

from functools import cache
from pathlib import Path

import msgspec

from adapters import settings_source
from api.app import create


@cache
def page() -> str:
    settings = settings_source.load({}, Path("/nonexistent")).settings
    schema = create(settings).app.openapi_schema.to_schema()
    return msgspec.json.format(msgspec.json.encode(schema), indent=1).decode() + "\n"
