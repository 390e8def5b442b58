"""Signs the run in, and in again whenever one of its own requests ended its session or took its rights."""

import os
from typing import Any

import httpx
import schemathesis

_http = httpx.Client(base_url=os.environ["RUN_URL"])
_emails = os.environ["RUN_EMAILS"].split(",")


class _Session:
    token = "none-yet"
    sure = False
    """Nothing that was sent since can have ended it."""


@schemathesis.auth(refresh_interval=None)
class SignedIn:
    """An administrator; the next one when the run has locked that one out, suspended them, or made them an ordinary user."""

    def get(self, case: Any, context: Any) -> str:
        while not _Session.sure and not _administers():
            answer = _http.post("/api/v1/auth/login", json={"email": _emails[0], "password": os.environ["RUN_PASSWORD"]})
            _Session.token = answer.json().get("access_token", "none")
            if not _administers():
                _emails.pop(0)
        _Session.sure = True
        return _Session.token

    def set(self, case: Any, data: str, context: Any) -> None:
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {data}"}


def _administers() -> bool:
    return _http.get("/api/v1/roles?limit=1", headers={"Authorization": f"Bearer {_Session.token}"}).status_code == 200


@schemathesis.hook
def before_load_schema(context: Any, raw_schema: Any) -> None:
    """Without action tokens: a made-up one is refused before anything else is looked at, as tests/api/test_action_tokens.py shows."""
    for path in raw_schema["paths"].values():
        for operation in path.values():
            operation["parameters"] = [each for each in operation.get("parameters", []) if each["name"] != "X-Action-Token"]


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    """What only asks ends nothing, nor does what was refused for its form: looking after each request would be as many again."""
    if case.method != "GET" and (response.status_code < 400 or response.status_code in {401, 403}):
        _Session.sure = False


@schemathesis.hook
def map_body(context: Any, body: Any) -> Any:
    """JSON Schema takes 7.0 for an integer, we do not: whole numbers are sent as such."""
    return _whole(body)


def _whole(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: _whole(part) for name, part in value.items()}
    return [_whole(part) for part in value] if isinstance(value, list) else value
