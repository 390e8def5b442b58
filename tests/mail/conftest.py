"""An authority over a database of its own, without HTTP, and a real server of mail."""

import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import pytest

from adapters.embedded_postgres import PostgresServer
from adapters.mail.post import Post
from adapters.mail.server import server_of
from adapters.mail.smtp import SmtpPost
from adapters.ports import Opened, open_ports
from adapters.secret import Secret
from adapters.settings import Settings
from adapters.settings_source import load
from cli.first_start import prepare
from commands.begin_registration import begin_registration
from commands.context import Context
from commands.identify import identify
from commands.register_user import RegisterUser, register_user
from commands.sign_in import SignIn, sign_in
from commands.token_answer import SignedIn
from commands.transact import Read, Transaction, read_states, transact
from domain import user, user_password
from domain.errors import InvalidToken
from domain.event import SealClass
from domain.ids import CorrelationId, UserId
from tests.conftest import Database, copied
from tests.mail.server import Certificate, Received, Smtp, make_certificate
from workers.mailer.mailer import Mailer, Settled
from workers.mailer.opened import desk_of
from workers.sequencer import Sequencer

PASSWORD = "correct horse battery staple"
ANYBODY = Context(correlation_id=CorrelationId(UUID(int=2)), network="192.0.2.0/24")


@dataclass
class Office:
    """Everything between an event and a mailbox."""

    settings: Settings
    database: Database
    opened: Opened
    sequencer: Sequencer
    owner: "asyncpg.Connection[asyncpg.Record]"
    received: Received
    post: Post | None
    mailers: list[Mailer] = field(default_factory=list[Mailer])
    settled: list[Settled] = field(default_factory=list[Settled])

    @property
    def ports(self) -> Any:
        return self.opened.ports

    def mailer(self) -> Mailer:
        """Make another; it is closed with the office."""
        settings = self.settings
        desk = desk_of(settings, self.opened)
        self.mailers.append(Mailer(self.database.app_url, self.post, desk, settled=self.settled.append))
        return self.mailers[-1]

    async def register(self, email: str = "ada@example.org") -> UserId:
        wish = RegisterUser(email=email, password=PASSWORD)
        return (await register_user(wish, ANYBODY, self.ports)).result.user_id

    async def begin(self, email: str = "ada@example.org", password: str = PASSWORD, **more: str) -> str:
        """Register where proofs come first; gives the browser's secret."""
        wish = RegisterUser(email=email, password=password, **more)
        return (await begin_registration(wish, ANYBODY, self.ports)).registration

    async def known(self, email: str = "ada@example.org") -> UserId:
        """Register, with the mail that brings about out of the way."""
        user_id = await self.register(email)
        await self.sequence()
        await self.mailer().turn()
        await self.owner.execute("DELETE FROM mail_ledger WHERE user_id = $1", user_id)
        return user_id

    async def change_password(self, user_id: UserId) -> None:
        """As the command does, with a hash that nobody verifies."""
        of_user = user.stream(user_id)
        sealed = await self.ports.vault.seal(
            subject=of_user, seal_class=SealClass.CREDENTIAL, stream=of_user, fields={"password": "hash"}, fresh=True
        )

        def decide(tx: Transaction) -> None:
            state = tx.state(user.decider, of_user)
            tx.record(user.decider, of_user, user_password.change_password(state, password=sealed["password"], remembered=5, at=tx.at))

        await transact(self.ports, ANYBODY, [(user.decider, of_user)], decide)

    async def sequence(self) -> None:
        while (step := await self.sequencer.step()) is not None and step.added:
            pass

    async def rows(self) -> list[dict[str, Any]]:
        return [dict(row) for row in await self.owner.fetch("SELECT * FROM mail_ledger ORDER BY created_at, mail_id")]

    def token(self, number: int = -1) -> str:
        """Give the token of the link in one of the mails that came."""
        text = self.text(number)
        found = re.search(r"^https?://\S+#token=(mlt_[\w-]+)$", text, re.MULTILINE)
        assert found, text
        return found[1]

    def text(self, number: int = -1) -> str:
        plain, _ = self.received.messages[number].iter_parts()
        return str(plain.get_content()).replace("\r\n", "\n")

    def subjects(self) -> list[str]:
        return [str(mail["Subject"]) for mail in self.received.messages]

    async def sign_in(self, email: str = "ada@example.org", password: str = PASSWORD) -> SignedIn:
        answer = await sign_in(SignIn(email=email, password=password), ANYBODY, self.ports)
        assert isinstance(answer, SignedIn)
        return answer

    async def is_live(self, signed_in: SignedIn) -> bool:
        try:
            await self.ctx(signed_in)
        except InvalidToken:
            return False
        return True

    async def ctx(self, signed_in: SignedIn) -> Context:
        claims = await self.opened.tokens.verify(signed_in.access_token, audiences=frozenset({"minos"}))
        principal = await identify(claims, self.ports)
        return Context(correlation_id=CorrelationId(UUID(int=3)), principal=principal, network="192.0.2.0/24")

    async def account(self, user_id: UserId) -> user.Account:
        read: Read = (user.decider, user.stream(user_id))
        return user.account_of((await read_states(self.ports, [read])).state(*read))

    async def until_due(self) -> None:
        """Let the pause of everything that waits be over."""
        await self.owner.execute("UPDATE mail_ledger SET due_at = clock_timestamp() - interval '1 second' WHERE state = 'waiting'")

    async def work(self) -> None:
        """Sequence, read all there is, and send what is due now."""
        await self.sequence()
        mailer = self.mailers[0] if self.mailers else self.mailer()
        while await mailer.turn():
            pass
        while await mailer.deliver():
            pass


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def start() -> Iterator[Callable[..., Smtp]]:
    """Starts servers that stop with the test."""
    servers: list[Smtp] = []

    def starting(*arguments: Any, **named: Any) -> Smtp:
        servers.append(Smtp(*arguments, **named).start())
        return servers[-1]

    yield starting
    for server in servers:
        server.stop()


def settings_for(database: Database, folder: Path) -> Settings:
    environ = {"MINOS_DATA_DIR": str(folder), "MINOS_MAIL_FROM": "minos@minos.example"}
    settings = load(environ | {"MINOS_ARGON2_MEMORY_KIB": "7168", "MINOS_ARGON2_PASSES": "1"}, folder).settings
    return msgspec.structs.replace(settings, database_url=Secret(database.app_url))


@pytest.fixture(scope="session")
async def furnished(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Database, Path]]:
    """A prepared database and the folder with its keys. Both are only ever copied."""
    folder = tmp_path_factory.mktemp("furnished")
    async with copied(postgres_server) as database:
        await prepare(settings_for(database, folder), owner_url=database.owner_url)
        yield database, folder


@pytest.fixture
async def database(postgres_server: PostgresServer, furnished: tuple[Database, Path]) -> AsyncIterator[Database]:
    async with copied(postgres_server, furnished[0].name) as database:
        yield database


@pytest.fixture
async def open_office(
    database: Database, furnished: tuple[Database, Path], tmp_path: Path, certificate: Certificate, start: Callable[..., Smtp]
) -> AsyncIterator[Callable[..., Awaitable[Office]]]:
    shutil.copytree(furnished[1], tmp_path, dirs_exist_ok=True)
    async with AsyncExitStack() as closing:

        async def opening(**changes: Any) -> Office:
            settings = msgspec.structs.replace(settings_for(database, tmp_path), **changes)
            if changes:
                await prepare(settings, owner_url=database.owner_url)
            opened = await closing.enter_async_context(open_ports(settings))
            sequencer = Sequencer(database.app_url)
            closing.push_async_callback(sequencer.close)
            owner = await asyncpg.connect(database.owner_url)
            closing.push_async_callback(owner.close)
            received = Received()
            server = start(received, certificate)
            post = SmtpPost(server_of(f"smtp://127.0.0.1:{server.port}"), ca_file=certificate.chain)
            office = Office(settings, database, opened, sequencer, owner, received, post)
            closing.push_async_callback(_close, office)
            return office

        yield opening


async def _close(office: Office) -> None:
    for mailer in office.mailers:
        await mailer.close()


@pytest.fixture
async def office(open_office: Callable[..., Awaitable[Office]]) -> Office:
    return await open_office()
