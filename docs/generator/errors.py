"""`reference/errors.md`, from the tree of refusals and the table of statuses."""

from collections.abc import Iterator

from api.problems import STATUS
from docs.generator.markdown import code, document, table
from domain.errors import Refused

_INTRODUCTION = """
Every refusal is an RFC 9457 problem (`application/problem+json`) with a stable `code`: programs compare that, never the words.

```json
{"type": "/docs/problems#last_admin_protected", "title": "Conflict", "status": 409,
 "code": "last_admin_protected", "detail": "The last administrator cannot be demoted, suspended or removed."}
```

Where the request itself was wrong (422), `errors` names each fault: `pointer` (a JSON Pointer into the body, or `?name` for a
query parameter), `code`, `detail`. A 401 carries `WWW-Authenticate` (RFC 6750); 429 and 503 carry `Retry-After` in seconds.
"""


def page() -> str:
    rows = sorted((str(STATUS[kind]), code(kind.code), kind.detail) for kind in _refusals(Refused))
    return document("Errors", _INTRODUCTION, table(["Status", "Code", "Meaning"], rows))


def _refusals(root: type[Refused]) -> Iterator[type[Refused]]:
    for kind in root.__subclasses__():
        if kind in STATUS:
            yield kind
        yield from _refusals(kind)
