"""The mailer is killed in the one moment in which a mail may go out twice: the server has it, and we have not heard."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from adapters.embedded_nats import NatsServer
from tests.mail.conftest import Office, certificate, database, furnished, office, open_office, start
from tests.mail.server import Smtp

__all__ = ["certificate", "database", "furnished", "office", "open_office", "start"]


async def test_a_mail_is_never_lost_and_goes_twice_at_most_under_one_id(office: Office, nats_server: NatsServer, tmp_path: Path) -> None:
    server = catcher(office)
    try:
        await office.change_password(await office.known())
        await office.sequence()
        mailer = launch(office, nats_server, server)
        office.received.at_data = lambda: os.kill(mailer.pid, signal.SIGKILL)
        assert await asyncio.to_thread(mailer.wait, 30) == -signal.SIGKILL
        [row] = await office.rows()
        assert (row["state"], row["attempts"]) == ("waiting", 1)
        office.received.at_data = lambda: None
        await office.until_due()
        again = launch(office, nats_server, server)
        try:
            await sent(office)
        finally:
            again.terminate()
            await asyncio.to_thread(again.wait, 30)
        assert [str(mail["Message-ID"]) for mail in office.received.messages] == [f"<{row['mail_id']}@minos.example>"] * 2
    finally:
        server.stop()


async def test_killed_before_the_server_has_it_a_mail_goes_once(office: Office, nats_server: NatsServer) -> None:
    await office.change_password(await office.known())
    await office.sequence()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(30)
        mailer = launch_at(office, nats_server, silent.getsockname()[1])
        asked, _ = await asyncio.to_thread(silent.accept)
        mailer.kill()
        await asyncio.to_thread(mailer.wait, 30)
        asked.close()
    await office.until_due()
    await office.work()
    assert len(office.received.messages) == 1
    assert [(row["state"], row["attempts"]) for row in await office.rows()] == [("sent", 2)]


def catcher(office: Office) -> Smtp:
    return Smtp(office.received, None).start()


def launch(office: Office, nats: NatsServer, server: Smtp) -> "subprocess.Popen[bytes]":
    return launch_at(office, nats, server.port)


def launch_at(office: Office, nats: NatsServer, port: int) -> "subprocess.Popen[bytes]":
    kept = {name: text for name, text in os.environ.items() if not name.startswith("MINOS_")}
    environment = kept | {
        "MINOS_DATA_DIR": str(office.settings.data_dir),
        "MINOS_DATABASE_URL": office.database.app_url,
        "MINOS_NATS_URL": nats.url,
        "MINOS_NATS_CREDENTIALS": str(nats.credentials),
        "MINOS_SMTP_URL": f"smtp+plain://127.0.0.1:{port}",
        "MINOS_MAIL_FROM": "minos@minos.example",
    }
    return subprocess.Popen([sys.executable, "-m", "workers", "mailer"], env=environment, stderr=subprocess.DEVNULL)


async def sent(office: Office) -> None:
    async with asyncio.timeout(30):
        while (await office.rows())[0]["state"] != "sent":
            await asyncio.sleep(0.05)
