"""The parts of `minos up` and the order in which they start and stop."""

import asyncio
import signal
import time
from collections.abc import Coroutine, Mapping
from importlib import import_module
from typing import Any

import msgspec

from adapters.children import CannotStart
from adapters.embedded_nats import NatsServer
from adapters.embedded_postgres import PostgresServer
from adapters.secret import Secret
from adapters.settings import Settings
from cli.child_part import ChildPart, answers, working
from cli.metrics_told import MetricsTold
from cli.migrate import owner_url
from cli.screen import Screen
from cli.supervisor import Supervisor, stop_request

POSTGRES, NATS, API, WORKERS = "postgres", "nats", "api", "workers"


class Whole:
    """One authority: its servers unless the settings name others, the API and the workers."""

    def __init__(self, settings: Settings, *, began: float) -> None:
        self._settings = settings
        self._began = began
        self._screen = Screen()
        self._supervisor = Supervisor(self._screen.tell)
        own = settings.database_url is None
        self._postgres = PostgresServer(settings.data_dir / "postgres", tell=self._screen.line) if own else None
        self._nats = NatsServer(settings.data_dir / "nats") if settings.nats_url is None else None
        self._metrics: MetricsTold | None = None
        name = settings.allowed_hosts[0].removeprefix("*.")
        ready = answers(settings.host, settings.port, name=name)
        self._api = ChildPart("serve", settings=self._for_api, ready=ready, grace_s=settings.shutdown_drain + settings.shutdown_grace + 1)
        self._workers = ChildPart(
            "work",
            settings=self._for_children,
            ready=working(settings.data_dir / "metrics"),
            grace_s=5,
            when_orphaned=signal.SIGKILL,  # safe at any moment, and heard by one that hears nothing else
        )

    async def run(self, *, leave_when_ready: bool) -> None:
        """Start everything, stay until told to stop, stop everything. Raises what kept it from starting."""
        told = stop_request()
        starting = asyncio.create_task(self._start())
        stopping = asyncio.create_task(told.wait())
        try:
            await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                await starting
                if not leave_when_ready:
                    await stopping
                    self._screen.part_from_typing()
        finally:
            for task in (starting, stopping):
                task.cancel()
            await asyncio.gather(starting, stopping, return_exceptions=True)
            self._screen.close()
            await self._stop()

    async def _start(self) -> None:
        names = [(POSTGRES, self._postgres), (NATS, self._nats), (API, self._api), (WORKERS, self._workers)]
        self._screen.line(f"data in {self._settings.data_dir}")
        self._screen.open(tuple(name for name, part in names if part is not None))
        self._api.launch()  # they import their code while the servers start
        self._workers.launch()
        servers = [self._supervisor.start(name, part) for name, part in names[:2] if part is not None]
        # Our own imports meanwhile, in a thread: they take longer than the servers' second start.
        await _together(asyncio.to_thread(import_module, "cli.first_start"), *servers)
        code = await self._prepare()
        self._metrics = MetricsTold(self._settings, self._settings.data_dir / "metrics")
        await _together(self._supervisor.start(API, self._api), self._supervisor.start(WORKERS, self._workers))
        self._screen.close()
        self._greet(code)

    async def _stop(self) -> None:
        began = time.monotonic()
        await self._supervisor.stop([[API, WORKERS], [NATS, POSTGRES]])
        for part in (self._api, self._workers):
            await part.stop()  # launched, perhaps never started
        if self._metrics is not None:
            self._metrics.stop()
        self._screen.line(f"stopped in {time.monotonic() - began:.1f} s; the data stays in {self._settings.data_dir}")

    async def _prepare(self) -> str | None:
        from cli import first_start

        serving, owner = self._settings, owner_url(self._settings)
        if self._postgres is not None:
            serving = msgspec.structs.replace(serving, database_url=Secret(self._postgres.app_url))
            owner = self._postgres.owner_url
        if owner is None:
            raise CannotStart("there is no database to prepare")
        return await first_start.prepare(serving, owner_url=owner)

    def _for_children(self) -> Mapping[str, str | None]:
        """What the children must know that is not in the environment already. The owner's password is none of it."""
        given: dict[str, str | None] = {
            "MINOS_DATA_DIR": str(self._settings.data_dir),
            "MINOS_METRICS_PORT": "0",
            "MINOS_MIGRATION_DATABASE_URL": None,
            "MINOS_MIGRATION_DATABASE_URL_FILE": None,
        }
        if self._postgres is not None:
            given["MINOS_DATABASE_URL"] = self._postgres.app_url
        if self._nats is not None:
            given |= {"MINOS_NATS_URL": self._nats.url, "MINOS_NATS_CREDENTIALS": str(self._nats.credentials)}
        return given

    def _for_api(self) -> Mapping[str, str | None]:
        """The same, and what it tells NATS with who its connections are."""
        callout: dict[str, str] = {}
        if self._nats is not None:
            callout["MINOS_NATS_CALLOUT_ISSUER_FILE"] = str(self._nats.callout_issuer)
            callout["MINOS_NATS_CALLOUT_XKEY_FILE"] = str(self._nats.callout_xkey)
        return {**self._for_children(), **callout}

    def _greet(self, code: str | None) -> None:
        lines = [f"API      {self._settings.issuer}"]
        if self._settings.docs_are_open:
            lines.append(f"docs     {self._settings.issuer}/docs")
        if self._settings.metrics_port:
            lines.append(f"metrics  http://{self._settings.metrics_host}:{self._settings.metrics_port}/metrics")
        if self._settings.smtp_url is None:
            lines.append(f"mail     {self._settings.data_dir / 'mail'}/*.eml (MINOS_SMTP_URL is not set)")
        if code is not None:
            lines.append(f"bootstrap code: {code}")
        for line in [*lines, f"ready in {time.monotonic() - self._began:.1f} s; stop with Ctrl-C"]:
            self._screen.line(line)


async def _together(*steps: Coroutine[Any, Any, object]) -> None:
    """Take the steps at the same time. When one fails the others are cancelled and awaited, then its error is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            for step in steps:
                group.create_task(step)
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None
