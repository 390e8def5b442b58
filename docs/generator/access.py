"""`reference/access.md`: who may call what, from the API's policy table and its routes."""

from collections.abc import Iterator

import msgspec

from api.policy import POLICY, Access, Needs
from docs.generator.markdown import code, document, table
from docs.generator.openapi import page as openapi

_INTRODUCTION = """
One table in `api/policy.py` says what each operation asks of its caller; the API does not start with a route that is not in it.
A permission is looked up in the roles' heads when the request comes, so it is as of this moment. The pages under `/docs` and
`/openapi.json` ask for nothing where they are served at all (`MINOS_API_DOCS`).

*Proof* is how many seconds ago the caller may have proved who they are, by the token at hand, where that matters. With an older
one the answer is 401 `reauthentication_required`; [how to give one](../how-to/step-up.md).
"""

_WORDS = {
    Needs.NOTHING: "nothing",
    Needs.TOKEN: "an access token for any audience of this authority",
    Needs.SESSION: "an access token for any audience of this authority, of a live session",
    Needs.CLIENT: "a service account that proves itself in the request",
    Needs.CALLER: "an access token for `minos`, of a live session",
}


def page() -> str:
    rows = (_row(method, path, name, POLICY[name]) for path, method, name in _operations())
    return document("Who may call what", _INTRODUCTION, table(["Call", "Operation", "Needs", "Proof"], rows))


def _row(method: str, path: str, name: str, access: Access) -> list[str]:
    return [code(f"{method.upper()} {path}"), code(name), _needed(access), _proof(access)]


def _needed(access: Access) -> str:
    if access.permission is None:
        return _WORDS[access.needs]
    return code(access.permission) + (", or for a part " + code(f"{access.permission}.<part>") if access.parts else "")


def _proof(access: Access) -> str:
    return str(access.step_up.max_age) if access.step_up else "-"


def _operations() -> Iterator[tuple[str, str, str]]:
    paths: dict[str, dict[str, dict[str, object]]] = msgspec.json.decode(openapi())["paths"]
    for path, methods in paths.items():
        for method, operation in methods.items():
            name = str(operation["operationId"]) if "operationId" in operation else ""
            if name in POLICY:
                yield path, method, name
