"""How Minos itself is: its read models, and the settings it runs with."""

from datetime import datetime

import asyncpg
from litestar import Controller, get
from msgspec import Struct

from adapters.limits.policy import Kind
from adapters.postgres import AWAY
from adapters.settings_table import SETTINGS, shown
from api.asking import Asking
from api.refuse import refuses
from domain import errors
from projections import generations
from projections.catalogue import ALL
from projections.sql import beside

_SQL = beside(__file__)
HIDDEN = "(hidden)"


class ProjectionState(Struct, frozen=True, kw_only=True):
    """One generation of one read model. `behind` counts events it has not folded yet; parked streams are stuck on an event."""

    name: str
    generation: int
    serving: bool
    status: str
    position: int
    behind: int
    parked: int
    moved_at: datetime


class ProjectionStates(Struct, frozen=True, kw_only=True):
    data: list[ProjectionState]


class EffectiveSetting(Struct, frozen=True, kw_only=True):
    name: str
    value: str
    default: str
    unit: str | None
    secret: bool
    description: str


class EffectiveSettings(Struct, frozen=True, kw_only=True):
    data: list[EffectiveSetting]


class EffectiveLimit(Struct, frozen=True, kw_only=True):
    """So many at once, and the same again within so many seconds, for each of what is counted."""

    group: str
    """Operations that share it; `default` also has every address where there is nothing."""
    operations: list[str]
    counts: Kind
    amount: int
    seconds: int


class EffectiveLimits(Struct, frozen=True, kw_only=True):
    """`shared`: whether this process counts together with the others, or alone because their store is away."""

    shared: bool
    data: list[EffectiveLimit]


class Operations(Controller):
    path = "/api/v1"
    tags = ("operations",)

    @get(
        "/projections",
        operation_id="readProjections",
        summary="How far the read models are",
        responses=refuses(errors.InvalidToken, errors.PermissionDenied),
    )
    async def projections(self, request: Asking) -> ProjectionStates:
        try:
            ask = request.world.pool.fetch
            records = await ask(_SQL["projections"], *await generations.serving(ask, ALL))
        except AWAY as error:
            raise errors.StoreUnavailable from error
        return ProjectionStates(data=[_state(record) for record in records])

    @get(
        "/settings",
        operation_id="readSettings",
        summary="The settings in force",
        description="Secrets are hidden.",
        responses=refuses(errors.InvalidToken, errors.PermissionDenied),
    )
    async def settings(self, request: Asking) -> EffectiveSettings:
        chosen = request.world.settings
        return EffectiveSettings(
            data=[
                EffectiveSetting(
                    name=setting.name,
                    value=HIDDEN
                    if setting.secret and getattr(chosen, setting.field) is not None
                    else shown(getattr(chosen, setting.field)),
                    default=setting.default,
                    unit=setting.unit,
                    secret=setting.secret,
                    description=setting.doc,
                )
                for setting in SETTINGS
            ]
        )

    @get(
        "/limits",
        operation_id="readLimits",
        summary="The limits in force",
        responses=refuses(errors.InvalidToken, errors.PermissionDenied),
    )
    async def limits(self, request: Asking) -> EffectiveLimits:
        limits = request.world.limiter.limits
        return EffectiveLimits(
            shared=request.world.exchanger.shared,
            data=[
                EffectiveLimit(group=each.name, operations=list(each.operations), counts=kind, amount=rate.amount, seconds=rate.seconds)
                for each in limits.classes.values()
                for kind, rates in each.rates.items()
                for rate in rates
            ],
        )


def _state(record: asyncpg.Record) -> ProjectionState:
    return ProjectionState(
        name=record["name"],
        generation=record["generation"],
        serving=record["serving"],
        status=record["status"],
        position=record["position"],
        behind=max(0, record["log_size"] - record["position"]),
        parked=record["parked"],
        moved_at=record["moved_at"],
    )
