"""An integrator of the settings, with what it needs opened when it runs: the key it signs with is in the vault."""

import asyncio
from collections.abc import Callable

from nats.aio.client import Client

from adapters.checkpoint_key import open_signer
from adapters.postgres_links import Links
from adapters.root_keys import open_root
from adapters.second_place import open_second_place
from adapters.settings import Settings
from workers.hints import Hint
from workers.integrator.integrator import Integrated, Integrator


class OpenedIntegrator:
    def __init__(self, settings: Settings, client: Client, *, hint: Hint, observe: Callable[[Integrated], None]) -> None:
        self._settings, self._client = settings, client
        self._hint, self._observe = hint, observe

    async def run(self, stop: asyncio.Event) -> None:
        """Raises StoreUnavailable, NoMasterKey, CannotUnwrap: call it again then."""
        from adapters.ports import NoDatabase

        if self._settings.database_url is None:
            raise NoDatabase("set MINOS_DATABASE_URL")
        url = self._settings.database_url.reveal()
        links = Links(url, size=1)
        place = open_second_place(self._settings)
        try:
            signer = await open_signer(links, await open_root(self._settings, links), self._settings.issuer)
            await Integrator(url, signer, place, client=self._client, hint=self._hint, observe=self._observe).run(stop)
        finally:
            await links.close()
            await place.close()
