"""Is it alive, is it up, can it do its work: cheap, for anybody, and silent about everything else."""

from typing import Literal

import asyncpg
from litestar import Controller, Response, get
from litestar.openapi.datastructures import ResponseSpec
from msgspec import UNSET, Struct, UnsetType

from adapters.postgres import AWAY
from api.asking import Asking
from projections.sql import beside

_SQL = beside(__file__)
_SECONDS = 1.0


class Live(Struct, frozen=True, kw_only=True):
    status: Literal["live"] = "live"


class Started(Struct, frozen=True, kw_only=True):
    status: Literal["started", "starting"]


class Ready(Struct, frozen=True, kw_only=True):
    """`schema_level` is the number of the newest migration the database has. `limits`: whether requests are counted together with the
    other processes, or by this one alone, which then lets in as much as all should together."""

    status: Literal["ready", "unready"]
    postgres: Literal["up", "down", "unknown"]
    schema_level: int | UnsetType = UNSET
    limits: Literal["shared", "alone"] | UnsetType = UNSET


class Health(Controller):
    path = "/health"
    tags = ("operations",)

    @get("/live", operation_id="healthLive", summary="The process answers")
    async def live(self) -> Live:
        return Live()

    @get(
        "/startup",
        operation_id="healthStartup",
        summary="The process has opened what it needs",
        responses={503: ResponseSpec(Started, generate_examples=False, description="Still starting.")},
    )
    async def startup(self, request: Asking) -> Response[Started]:
        if request.is_open:
            return Response(Started(status="started"))
        return Response(Started(status="starting"), status_code=503, headers={"Retry-After": "1"})

    @get(
        "/ready",
        operation_id="healthReady",
        summary="Requests can be answered",
        responses={503: ResponseSpec(Ready, generate_examples=False, description="Postgres is away, or the process starts or leaves.")},
    )
    async def ready(self, request: Asking) -> Response[Ready]:
        if not request.is_open:
            return _unready("unknown")
        if request.world.leaving.is_set():
            return _unready("up")
        try:
            # A server that is silent does not answer that a question is taken back either: what gives the connection back has to end, too.
            async with request.world.pool.acquire(timeout=_SECONDS) as connection:
                level: int = await connection.fetchval(_SQL["level"], timeout=_SECONDS)
        except (*AWAY, asyncpg.PostgresError):
            return _unready("down")
        limits: Literal["shared", "alone"] = "shared" if request.world.exchanger.shared else "alone"
        return Response(Ready(status="ready", postgres="up", schema_level=level, limits=limits))


def _unready(postgres: Literal["up", "down", "unknown"]) -> Response[Ready]:
    return Response(Ready(status="unready", postgres=postgres), status_code=503, headers={"Retry-After": "1"})
