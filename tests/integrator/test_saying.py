"""A checkpoint is said on NATS too, and nothing waits for NATS."""

import asyncio

from nats.aio.msg import Msg

from adapters.embedded_nats import NatsServer
from adapters.nats_client import NatsConnection, settled
from tests.integrator.conftest import Ground, settle
from workers.integrator.integrator import SUBJECT, Integrator


async def test_each_checkpoint_is_said_on_nats_as_it_was_published(ground: Ground, nats_server: NatsServer) -> None:
    connection, listener = (NatsConnection(nats_server.url, credentials=nats_server.credentials) for _ in range(2))
    await asyncio.gather(connection.connect(), listener.connect())
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    async def hear(message: Msg) -> None:
        await heard.put(message.data)

    await listener.client.subscribe(SUBJECT, cb=hear)
    await settled(listener.client)
    worker = Integrator(ground.database.app_url, ground.signer, ground.place, client=connection.client)
    ground.made.append(worker)
    await ground.grow(3)
    await settle(worker)
    async with asyncio.timeout(5):
        assert (await heard.get()).decode() == (await ground.published()).note
    await asyncio.gather(connection.close(), listener.close())
    await ground.grow(1)
    await settle(worker)
    assert (await ground.checkpoint()).size == 4
