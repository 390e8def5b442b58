"""Services with the SDK that listen to NATS all the while, and the administrator they and the clients know."""

import asyncio
import re
import secrets
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import msgspec
from msgspec import Struct

from bench.cluster.cluster import AUDIENCE, FRONT, Cluster
from bench.cluster.programs import command
from bench.cluster.versions import Version
from bench.soak.clients import PASSWORD, ROLE, Account
from bench.soak.listener import Listener
from minos_sdk import REFUSE, ClientSecret, NatsFeed, ServiceTokens, Verifier

SERVICES = 2
_CODE = re.compile(r"^bootstrap code: (\S+)$", re.MULTILINE)


class _Account(Struct):
    client_id: str
    client_secret: str

    def __repr__(self) -> str:
        return f"_Account({self.client_id})"


class Services:
    """Each token that is told of is told to each."""

    def __init__(self, listeners: Sequence[Listener]) -> None:
        self.listeners = listeners

    def given(self, token: str) -> None:
        for each in self.listeners:
            each.given(token)

    def ended(self, token: str, why: str) -> None:
        for each in self.listeners:
            each.ended(token, why)

    def role_taken(self, token: str, role: str) -> None:
        for each in self.listeners:
            each.role_taken(token, role)


async def administrator(cluster: Cluster, version: Version, http: httpx.AsyncClient) -> Account:
    """Make the first one, with the role that clients are given. Raises HTTPStatusError."""
    found = _CODE.search(await command(version, cluster.settings(version), "admin", "code"))
    if found is None:
        raise LookupError("no bootstrap code was printed")
    wish = {"email": f"{secrets.token_hex(6)}@example.org", "password": PASSWORD}
    (await http.post(f"{FRONT}/api/v1/bootstrap", json=wish | {"code": found[1]})).raise_for_status()
    signed_in = (await http.post(f"{FRONT}/api/v1/auth/login", json=wish)).raise_for_status().json()
    admin = Account(wish["email"], signed_in["user_id"], signed_in)
    role = {"name": ROLE, "permissions": ["zoo.*"]}
    (await http.post(f"{FRONT}/api/v1/roles", json=role, headers=dict(admin.bearer))).raise_for_status()
    return admin


@asynccontextmanager
async def listening(cluster: Cluster, version: Version) -> AsyncGenerator[Services]:
    """Services that would rather refuse everybody than accept what may have been revoked."""
    rights = [f"minos.signals.{what}" for what in ("access", f"roles.{AUDIENCE}")]
    given = [part for name in ("nats", "minos") for part in ("--audience", name)] + [
        part for each in rights for part in ("--permission", each)
    ]
    said = await command(version, cluster.settings(version), "service-accounts", "create", "shop", *given, "--json")
    (account,) = msgspec.json.decode(said, type=list[_Account])
    urls = [each.url for each in cluster.brokers]
    async with AsyncExitStack() as stack:
        listeners: list[Listener] = []
        for _ in range(SERVICES):
            tokens = await stack.enter_async_context(ServiceTokens(FRONT, ClientSecret(account.client_id, account.client_secret)))
            feed = NatsFeed(urls, tokens, plaintext=True)  # over wires that nobody else has
            verifier = await stack.enter_async_context(Verifier(issuer=FRONT, audience=AUDIENCE, feed=feed, on_blind=REFUSE))
            await verifier.wait_until_ready()
            listeners.append(await stack.enter_async_context(_looking(Listener(verifier))))
        yield Services(listeners)


@asynccontextmanager
async def _looking(listener: Listener) -> AsyncGenerator[Listener]:
    looking = asyncio.create_task(listener.run())
    try:
        yield listener
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
