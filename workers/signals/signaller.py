"""The worker: it folds events into the set of live signals and sends that to NATS, each at its own pace."""

import asyncio
from collections.abc import Callable, Collection

from nats.aio.client import Client

from adapters.settings import Settings
from adapters.signal_sets import SignalSigner
from commands.ports import EventStore
from workers.hints import Hint
from workers.signals.folder import Folded, Folder, Lead
from workers.signals.sender import Sender, Sent
from workers.signals.watch import Watch

AGAIN_SECONDS = 0.1


class Signaller:
    """Any number may run: one holds the lead, the others stand by. For one run."""

    def __init__(
        self,
        url: str,
        client: Client,
        store: EventStore,
        signer: SignalSigner,
        *,
        life: int,
        hint: Hint | None = None,
        folded: Callable[[Folded], None] = lambda _: None,
        sent: Callable[[Sent], None] = lambda _: None,
        reached: Callable[[bool], None] = lambda _: None,
        replicas: int = 1,
    ) -> None:
        """`reached` hears whether NATS is there, whenever it was tried."""
        lead, self._to_send = Lead(), Hint()
        self.hint = Hint() if hint is None else hint
        self.sender = Sender(url, client, signer, lead, hint=self._to_send, observe=sent, reached=reached, replicas=replicas)
        self.folder = Folder(url, store, signer, lead, life=life, hint=self.hint, changed=self._to_send.set, observe=folded)

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set. Raises StoreUnavailable, LogBroken: make another one then."""
        tasks = [asyncio.create_task(part.run(stop), name=type(part).__name__) for part in (self.folder, self.sender)]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            await _end(tasks)
            await self.close()

    async def close(self) -> None:
        await self.folder.close()
        await self.sender.close()


async def _end(tasks: Collection[asyncio.Task[None]]) -> None:
    """Cancel until all have ended: the NATS client passes over it once for every message it is sending."""
    left: Collection[asyncio.Task[None]] = tasks
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=AGAIN_SECONDS)


class OpenedSignaller:
    """One of the settings, with what it needs opened when it runs: the keys it signs with are in the vault."""

    def __init__(self, settings: Settings, client: Client, *, hint: Hint, watch: Watch) -> None:
        self._settings = settings
        self._client = client
        self._hint, self._watch = hint, watch

    async def run(self, stop: asyncio.Event) -> None:
        """Raises StoreUnavailable, NoMasterKey, CannotUnwrap: call it again then."""
        from adapters.ports import NoDatabase, open_ports

        settings, watch = self._settings, self._watch
        if settings.database_url is None:
            raise NoDatabase("set MINOS_DATABASE_URL")
        async with open_ports(settings) as opened:
            signer = SignalSigner(opened.signals_keyring, settings.issuer)
            signaller = Signaller(
                settings.database_url.reveal(), self._client, opened.store, signer,
                life=settings.access_token_ttl, hint=self._hint, folded=watch.folded, sent=watch.sent, reached=watch.reached,
                replicas=settings.nats_replicas,
            )  # fmt: skip
            await signaller.run(stop)
