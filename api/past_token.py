"""What one token could do when it was issued."""

from typing import Annotated

from litestar import Controller, get
from litestar.params import PathParameter

from api.asking import Asking
from api.refuse import refuses
from commands.audit_asked import record_asked
from domain import errors
from domain.audit import Matter, Question
from projections.past.token_then import TokenThen, token_then

Jti = Annotated[str, PathParameter(max_length=64, pattern=r"^[A-Za-z0-9_-]+$(?!\n)", description="The token's `jti`, and never the token.")]


class PastToken(Controller):
    path = "/api/v1/audit/tokens"
    tags = ("audit",)

    @get(
        "/{jti:str}",
        operation_id="traceToken",
        summary="What a token could do when it was issued",
        description=(
            "Whose it was and what their roles gave then, or what is in a service token; and the event that ended it since. A `jti` proves "
            "nothing of a token's being genuine. The question is written to the log before it is answered."
        ),
        responses=refuses(errors.InvalidToken, errors.PermissionDenied, errors.TokenUntraced, errors.LogDetached, errors.StoreUnavailable),
    )
    async def trace(self, request: Asking, jti: Jti) -> TokenThen:
        await record_asked(Question.TOKEN, request.context(), request.world.ports, Matter())
        return await token_then(request.world.models, jti)
