"""Machines under load over HTTP: tokens by client credentials, introspection of them, and API keys checked by a service."""

import json
from base64 import b64encode

from bench.load import Plan, Tally, drive, form_request
from bench.running import Running
from bench.scale import Measuring

CONNECTIONS = 32
AUDIENCE = "bench"
Account = dict[str, str]
"""A service account's id and secret, a token and a key of it."""


async def machines(measuring: Measuring, account: Account, port: int) -> None:
    """Add the figures of one round. The service account is both who asks for tokens and who asks about them."""
    basic = b64encode(f"{account['client_id']}:{account['client_secret']}".encode()).decode()
    grant = form_request("/oauth2/token", {"grant_type": "client_credentials", "audience": AUDIENCE}, basic=basic)
    tokens = await _driven(grant, port, measuring)
    shown = {"client_tokens": tokens.per_second}
    for key, text in (("introspections", account["token"]), ("api_key_checks", account["api_key"])):
        asked = form_request("/oauth2/introspect", {"token": text}, basic=basic)
        shown[key] = (await _driven(asked, port, measuring)).per_second
    measuring.rounds.add(**shown)


async def _driven(text: str, port: int, measuring: Measuring) -> Tally:
    tally = await drive(Plan(port=port, requests=[text] * CONNECTIONS, seconds=measuring.scale.seconds))
    if set(tally.statuses) != {"200"}:
        raise RuntimeError(f"answers to machines were {tally.statuses}")
    return tally


async def made_account(running: Running) -> Account:
    """Make a service account with a token and a key of its own, by the command line."""
    await running.minos("audiences", "define", AUDIENCE, "bench.read")
    made = await told(running, "service-accounts", "create", "bench", "--audience", AUDIENCE, "--permission", "bench.read")
    token = await told(running, "service-token", "issue", made["client_id"], "--ttl", "2h")
    key = await told(running, "api-keys", "create", made["client_id"], "bench", "--audience", AUDIENCE, "--permission", "bench.read")
    return {**made, "token": token["token"], "api_key": key["api_key"]}


async def told(running: Running, *arguments: str) -> dict[str, str]:
    """Run a command, and give what it says in JSON; of several things the first."""
    done = await running.minos(*arguments, "--json")
    if done.code:
        raise RuntimeError(done.err)
    said: list[dict[str, str]] | dict[str, str] = json.loads(done.out)
    return said[0] if isinstance(said, list) else said
