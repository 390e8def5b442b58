"""Why an account could sign in at a moment, or could not."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from litestar import Controller, get
from litestar.params import FromPath, QueryParameter

from api.asking import Asking
from api.audit import moment, refuse_null
from api.explaining import Asked, Explanation, explain
from api.lists import settle
from api.refuse import refuses
from domain import errors
from domain.ids import AudienceName, UserId
from domain.session import MINOS
from projections.audit_events import audit_events

At = Annotated[datetime | None, QueryParameter(description="RFC 3339; now where none is given.")]
Within = Annotated[int, QueryParameter(ge=1, le=86_400, description="Seconds before and after, of which to tell what happened.")]
Audience = Annotated[str, QueryParameter(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$(?!\n)", description="What the sign-in is to be for.")]
A_QUARTER = 900


class Explain(Controller):
    path = "/api/v1/users"
    tags = ("audit",)

    @get(
        "/{user_id:uuid}/explain",
        operation_id="explainSignIn",
        summary="Why a sign-in was refused or allowed",
        description=(
            "What the rule says of a right password at that moment, what it looked at, each with the event that made it so, and what "
            "happened around it. Refused sign-ins are kept outside the log for a while: `provable` is false. Asking is written to the log."
        ),
        responses=refuses(
            errors.InvalidToken,
            errors.PermissionDenied,
            errors.NoSuchUser,
            errors.NoSuchAudience,
            errors.TooManyWaiting,
            errors.Contended,
        ),
    )
    async def explain(
        self, request: Asking, user_id: FromPath[UUID], at: At = None, within: Within = A_QUARTER, audience: Audience = MINOS
    ) -> Explanation:
        refuse_null(request, "at")
        asked = Asked(user_id=UserId(user_id), audience=AudienceName(audience), at=moment(request, "at", at), within=within)
        await settle(request, audit_events)
        world = request.world
        return await explain(asked, request.context(), world.ports, world.models, world.replays.links)
