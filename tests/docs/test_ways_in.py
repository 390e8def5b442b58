"""What the explanations say in figures is what the code does."""

import json
import tomllib
from collections.abc import Iterator

from adapters.settings import Settings
from api.policy import FRESH
from commands.sign_in_challenge import LIFE
from docs.console.authority import ROOT
from domain import factor_guard, sign_in_guard

SECURITY = (ROOT / "docs" / "explanation" / "security.md").read_text()
WAYS_IN = (ROOT / "docs" / "explanation" / "ways-in.md").read_text()
DOCUMENT = json.loads((ROOT / "docs" / "reference" / "openapi.json").read_text())
DAY = 86_400


def named_in(schema: object, within: frozenset[str] = frozenset()) -> Iterator[str]:
    """Walk the names of all fields of a schema."""
    if isinstance(schema, list):
        for one in schema:
            yield from named_in(one, within)
    elif isinstance(schema, dict):
        name = str(schema.get("$ref", "")).rpartition("/")[2]
        if name and name not in within:
            yield from named_in(DOCUMENT["components"]["schemas"][name], within | {name})
        yield from schema.get("properties", {})
        for inner in schema.values():
            yield from named_in(inner, within)


def test_every_operation_that_answers_with_a_token_is_a_way_that_is_described() -> None:
    operations = [operation for item in DOCUMENT["paths"].values() for operation in item.values()]
    giving = {
        operation["operationId"]
        for operation in operations
        for status, response in operation["responses"].items()
        if status.startswith("2") and {"access_token", "api_key", "action_token"} & set(named_in(response.get("content", {})))
    }
    assert {"login", "refresh", "grantToken"} <= giving
    assert {name for name in giving if f"`{name}`" not in WAYS_IN} == set()


def minutes(waits: tuple[int, ...]) -> str:
    *first, last = (wait // 60 for wait in waits)
    return f"{', '.join(map(str, first))}, then {last} minutes"


def test_figures_of_the_guards_are_as_written() -> None:
    most = sign_in_guard.MOST_FAILURES
    assert sign_in_guard.COUNTER_TTL == DAY
    passwords = f"from the {sign_in_guard.DELAY_AFTER}th on {minutes(sign_in_guard.WAITS)}; after the {most}th for a day"
    codes = f"from the {factor_guard.PAUSE_AFTER}th on {minutes(factor_guard.PAUSES)}; after the {most}th only a recovery code or"
    assert passwords in SECURITY
    assert codes in SECURITY


def test_figures_of_limits_are_as_written() -> None:
    sign_in = tomllib.loads((ROOT / "adapters" / "limits" / "default.toml").read_text())["sign_in"]
    assert {"login", "completeLogin"} <= set(sign_in["operations"])
    (address, _), (name, _) = (rate.split("/") for rate in (sign_in["address"][0], sign_in["name"][0]))
    assert f"{address} a minute for an address, {name} a minute for a name from one network" in SECURITY


def test_figures_of_sessions_are_as_written() -> None:
    settings = Settings()
    assert f"| Unused | {settings.refresh_idle_ttl // DAY} days |" in SECURITY
    assert f"| In all | {settings.refresh_absolute_ttl // DAY} days |" in SECURITY
    assert f"| An access token | {settings.access_token_ttl // 60} minutes," in SECURITY
    assert f"| A proof, for what is dangerous | {FRESH.max_age // 60} minutes |" in SECURITY
    assert f"for {LIFE // 60} minutes" in WAYS_IN
