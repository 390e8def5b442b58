"""Tokens for one action, once; and which actions the services have."""

from typing import Annotated

from litestar import Controller, delete, get, post, put
from litestar.params import JSONBody, PathParameter

from api.asking import Asking
from api.policy import OWN_ACTIONS, POLICY
from api.refusals import Fault, ValidationFailed
from api.refuse import refuses
from commands.action_tokens import (
    ActionToken,
    ConsumeActionToken,
    Consumed,
    MakeActionToken,
    consume_action_token,
    make_action_token,
    split,
)
from commands.define_action import Actions, ActionWanted, define_action, list_actions, withdraw_action
from domain import action, action_catalogue, errors
from domain.assurance import StepUp
from domain.ids import ActionName, AudienceName
from domain.session import MINOS

_SLUG = r"^[a-z0-9][a-z0-9_-]{0,63}$(?!\n)"
AudiencePath = Annotated[str, PathParameter(pattern=_SLUG, description="An audience's name.")]
ActionPath = Annotated[str, PathParameter(pattern=_SLUG, description="An action's name.")]
_CHANGED = (errors.InvalidToken, errors.PermissionDenied, errors.Contended)


class ActionTokens(Controller):
    path = "/api/v1/auth/action-tokens"
    tags = ("step-up",)

    @post(
        operation_id="makeActionToken",
        summary="Get a token for one action, once",
        description=(
            "Takes a token for any audience, which is the one whose actions may be asked for, and a proof as fresh and strong as the "
            "action asks. Good for 120 seconds, in the same session, for the method, path and parameters named here. At Minos itself "
            "method and path have to be named; the token then goes with that very call in `X-Action-Token`, in place of a fresh proof."
        ),
        responses=refuses(errors.InvalidToken, errors.AudienceNotAllowed, errors.NoSuchAction, errors.ReauthenticationRequired),
    )
    async def make(self, request: Asking, data: JSONBody[MakeActionToken]) -> ActionToken:
        return await make_action_token(data, request.caller, request.claims, request.world.ports, own_rule=_own_rule(data))

    @post(
        "/consume",
        operation_id="consumeActionToken",
        status_code=200,
        summary="Use up an action token",
        description=(
            "For the service that does the action, by a service account registered for it. Of any number of calls one succeeds; only then "
            "do it. Action, session, method, path and parameters have to be those the token was made for."
        ),
        responses=refuses(
            errors.InvalidToken, errors.PermissionDenied, errors.NoSuchAction, errors.ActionTokenInvalid, errors.ActionTokenUsed,
            errors.Contended,
        ),
    )  # fmt: skip
    async def consume(self, request: Asking, data: JSONBody[ConsumeActionToken]) -> Consumed:
        done = await consume_action_token(data, request.context(), request.world.ports)
        return request.wrote(done, action.stream(done.result.action_id))


class AudienceActions(Controller):
    path = "/api/v1/audiences/{audience:str}/actions"
    tags = ("step-up",)

    @get(
        operation_id="listActions",
        summary="The actions of an audience, as they are now",
        responses=refuses(errors.InvalidToken, errors.PermissionDenied),
    )
    async def list_actions(self, request: Asking, audience: AudiencePath) -> Actions:
        return await list_actions(AudienceName(audience), request.world.ports)

    @put(
        "/{action:str}",
        operation_id="defineAction",
        status_code=204,
        summary="Register an action, or change what it asks for",
        description=(
            "`verifiers` are the service accounts that may use up tokens for it; each has to be one that may ask for the audience. The "
            "actions of `minos` are its operations."
        ),
        responses=refuses(*_CHANGED, errors.NoSuchAudience, errors.AudienceProtected, errors.ActionsExhausted, errors.UnfitVerifier),
    )
    async def define(self, request: Asking, audience: AudiencePath, action: ActionPath, data: JSONBody[ActionWanted]) -> None:
        name = AudienceName(audience)
        done = await define_action(name, ActionName(action), data, request.context(), request.world.ports)
        request.wrote(done, action_catalogue.stream(name))

    @delete(
        "/{action:str}",
        operation_id="withdrawAction",
        summary="Withdraw an action",
        description="Tokens for it can be neither made nor used up from now on.",
        responses=refuses(*_CHANGED),
    )
    async def withdraw(self, request: Asking, audience: AudiencePath, action: ActionPath) -> None:
        name = AudienceName(audience)
        done = await withdraw_action(name, ActionName(action), request.context(), request.world.ports)
        request.wrote(done, action_catalogue.stream(name))


def _own_rule(wanted: MakeActionToken) -> StepUp | None:
    """Give what an operation of Minos asks for; None where the action is another's. Raises NoSuchAction, ValidationFailed."""
    audience, name = split(wanted.action)
    if audience != MINOS:
        return None
    operation = OWN_ACTIONS.get(name)
    if operation is None:
        raise errors.NoSuchAction
    missing = [field for field, value in (("method", wanted.method), ("path", wanted.path)) if value is None]
    if missing:
        raise ValidationFailed([Fault(pointer=f"/{field}", code="missing", detail="Needed for an action of Minos.") for field in missing])
    return POLICY[operation].step_up
