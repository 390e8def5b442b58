"""One authority of one size while it is measured: who is signed in there, and whom and what is asked about."""

import asyncio
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from urllib.request import Request, urlopen
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

from adapters import settings_source
from adapters.ports import open_ports
from bench.growth.beginning import ADMINISTRATOR
from bench.growth.lives import AUDIENCE, PLAIN, address
from bench.machines import told
from bench.over_http import PASSWORD, port_of
from bench.running import Running

LIST = "/api/v1/users"
_ANYBODY = "SELECT substr(stream, 6) FROM heads WHERE stream >= 'user-' || $1::text AND stream < 'user.' ORDER BY stream LIMIT 1"
_BETWEEN = (
    "SELECT substr(min(stream), 6)::uuid AS first, substr(max(stream), 6)::uuid AS last FROM heads WHERE stream >= $1 AND stream < $2"
)


class SignedIn(Struct, frozen=True, kw_only=True):
    """Somebody who signed in just now."""

    user_id: UUID
    access_token: str
    refresh_token: str

    def __repr__(self) -> str:
        return f"SignedIn(user_id={self.user_id})"


@dataclass(slots=True)
class Site:
    """`strangers` are users drawn from all there are, `cursors` of the list of users lead into its middle."""

    running: Running
    users: int
    admin: SignedIn
    people: Sequence[SignedIn]
    strangers: Sequence[UUID]
    cursors: Sequence[str]
    size: int
    """Of the log, when it began."""
    basic: str = field(repr=False)
    service_token: str = field(repr=False)
    chance: Random = field(default_factory=lambda: Random(7))

    @property
    def port(self) -> int:
        return port_of(self.running)

    @property
    def admins_token(self) -> str:
        return self.admin.access_token

    def somebody(self) -> str:
        """Give the address of one of those who only come back, anywhere among all."""
        return address(plain(self.chance.randrange(self.users // 10)))

    async def renew(self) -> None:
        """Have the administrator prove themselves again: some of what they do wants a fresh proof."""
        self.admin = await signed_in(self.running, ADMINISTRATOR)

    async def newcomers(self, n: int) -> Sequence[SignedIn]:
        return [await signed_in(self.running, self.somebody()) for _ in range(n)]


def plain(tenth: int) -> int:
    """Give the number of somebody plain, of the people numbered from ten times `tenth` on or just after."""
    return tenth * 10 + PLAIN if tenth % 10 else tenth * 10 + 10 + PLAIN


async def open_site(running: Running, users: int, *, people: int, asked: int) -> Site:
    """Sign people in and look up whom to ask about, as often as `asked`."""
    chance = Random(3)
    connection = await asyncpg.connect(running.owner_url)
    try:
        (ends,) = await connection.fetch(_BETWEEN, "user-", "user.")
        drawn = [UUID(int=chance.randrange(ends["first"].int, ends["last"].int)) for _ in range(asked)]
        strangers = [UUID(await connection.fetchval(_ANYBODY, str(each))) for each in drawn]
        size: int = await connection.fetchval("SELECT size FROM log_head")
    finally:
        await connection.close()
    admin = await signed_in(running, ADMINISTRATOR)
    made = await told(running, "service-accounts", "create", "bench", "--audience", AUDIENCE, "--permission", "bench.read")
    token = await told(running, "service-token", "issue", made["client_id"], "--ttl", "2h")
    site = Site(
        running=running, users=users, admin=admin, people=[], strangers=strangers, cursors=await _cursors(running, admin, strangers),
        size=size, basic=b64encode(f"{made['client_id']}:{made['client_secret']}".encode()).decode(), service_token=token["token"],
    )  # fmt: skip
    site.people = await site.newcomers(people)
    return site


async def _cursors(running: Running, admin: SignedIn, after: Sequence[UUID]) -> Sequence[str]:
    """Make cursors as the list gives them, without reading all pages up to there."""
    found = {"MINOS_DATABASE_URL": running.database_url}
    async with open_ports(settings_source.load({**running.environment, **found}).settings) as opened:
        unfiltered = msgspec.json.encode([None] * 4).decode()
        return [
            opened.cursors.make(msgspec.json.encode(each), caller=f"user:{admin.user_id}", route=LIST, filtered_by=unfiltered)
            for each in after
        ]


async def signed_in(running: Running, email: str) -> SignedIn:
    body = msgspec.json.encode({"email": email, "password": PASSWORD})
    asked = Request(f"{running.url}/api/v1/auth/login", body, {"Content-Type": "application/json"})  # noqa: S310 - our own server

    def ask() -> bytes:
        with urlopen(asked, timeout=10) as answer:  # noqa: S310
            received: bytes = answer.read()
            return received

    return msgspec.json.decode(await asyncio.to_thread(ask), type=SignedIn)
