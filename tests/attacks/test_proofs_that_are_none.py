"""What people are asked for to prove who they are, where it proves nothing or somebody else knows it."""

import json
from collections.abc import Iterator
from typing import Any

from api.policy import POLICY, Needs
from docs.console.authority import ROOT

DOCUMENT = json.loads((ROOT / "docs" / "reference" / "openapi.json").read_text())
"""Made from the routes; a test holds it against them."""
SCHEMAS = DOCUMENT["components"]["schemas"]


def fields(schema: Any, within: frozenset[str] = frozenset()) -> Iterator[tuple[str, Any]]:
    """Walk every field of a schema, with what it may hold."""
    if isinstance(schema, list):
        for one in schema:
            yield from fields(one, within)
    elif isinstance(schema, dict):
        name = str(schema.get("$ref", "")).rpartition("/")[2]
        if name and name not in within:
            yield from fields(SCHEMAS[name], within | {name})
        yield from schema.get("properties", {}).items()
        for inner in schema.values():
            yield from fields(inner, within)


def asked() -> dict[str, dict[str, Any]]:
    """Give, by operation, the fields of its body."""
    operations = [operation for item in DOCUMENT["paths"].values() for operation in item.values() if "operationId" in operation]
    return {operation["operationId"]: dict(fields(operation.get("requestBody", {}))) for operation in operations}


def test_the_walk_sees_fields() -> None:
    assert {"email", "username", "password"} <= asked()["login"].keys()
    assert "permission" in asked()["checkPermissions"]


def test_nobody_is_asked_for_a_hint_or_a_secret_answer() -> None:
    words = ("hint", "question", "answer", "maiden", "birth", "pet")
    people = {operation: body for operation, body in asked().items() if POLICY[operation].needs is not Needs.CLIENT}
    assert [(operation, name) for operation, body in people.items() for name in body if any(word in name for word in words)] == []


def test_no_administrator_sets_a_password() -> None:
    administrators = {operation for operation, access in POLICY.items() if access.needs is Needs.PERMISSION}
    assert [(operation, name) for operation in administrators for name in asked().get(operation, {}) if "password" in name] == []
