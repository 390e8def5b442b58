"""What the explanations say in figures is what the code does."""

import tomllib

from adapters.settings import Settings
from api.policy import FRESH
from commands.sign_in_challenge import LIFE
from docs.console.authority import ROOT
from domain import factor_guard, sign_in_guard

SECURITY = (ROOT / "docs" / "explanation" / "security.md").read_text()
WAYS_IN = (ROOT / "docs" / "explanation" / "ways-in.md").read_text()
DAY = 86_400


def minutes(waits: tuple[int, ...]) -> str:
    *first, last = (wait // 60 for wait in waits)
    return f"{', '.join(map(str, first))}, then {last} minutes"


def test_figures_of_the_guards_are_as_written() -> None:
    most = sign_in_guard.MOST_FAILURES
    assert sign_in_guard.COUNTER_TTL == DAY
    passwords = f"from the {sign_in_guard.DELAY_AFTER}th on {minutes(sign_in_guard.WAITS)}; after the {most}th for a day"
    codes = f"from the {factor_guard.PAUSE_AFTER}th on {minutes(factor_guard.PAUSES)}; after the {most}th only a recovery code"
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
