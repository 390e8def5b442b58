"""Of whom a second factor is demanded: the holders of a role, and whoever wants a token for an audience."""

from collections.abc import Mapping

from litestar import Controller, get, put
from litestar.params import JSONBody
from msgspec import Struct

from api.asking import Asking
from api.audiences import AudiencePath
from api.refuse import refuses
from api.user_roles import RolePath
from commands.factor_policy import AskAtAudience, AskOfRole, ask_at_audience, ask_of_role, read_factor_policy
from domain import errors
from domain.factor_policy import STREAM, Requirement
from domain.ids import AudienceName, RoleName

_CHANGED = (errors.InvalidToken, errors.PermissionDenied, errors.RightsExceeded, errors.Contended)
_DEMANDED = (
    "Holds at the next sign-in and the next refresh. Whoever has no factor that would do enrols one while signing in. Nobody demands of "
    "themselves what the token at hand does not say they have shown; who has no factor at all is told to enrol one first."
)


class FactorPolicyView(Struct, frozen=True, kw_only=True):
    """What is asked for; a role or audience that is not listed asks for nothing. Of several the most counts."""

    roles: Mapping[RoleName, Requirement]
    audiences: Mapping[AudienceName, Requirement]


class RequirementWanted(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    requirement: Requirement


class FactorPolicies(Controller):
    path = "/api/v1/factor-policy"
    tags = ("factors",)

    @get(
        operation_id="readFactorPolicy",
        summary="Of whom a second factor is demanded",
        responses=refuses(errors.InvalidToken, errors.PermissionDenied),
    )
    async def read(self, request: Asking) -> FactorPolicyView:
        policy = await read_factor_policy(request.world.ports)
        return FactorPolicyView(roles=policy.roles, audiences=policy.audiences)

    @put(
        "/roles/{role:str}",
        operation_id="demandFactorOfRole",
        status_code=204,
        summary="Demand a second factor of a role's holders, or demand it no more",
        description=_DEMANDED,
        responses=refuses(*_CHANGED, errors.NoSuchRole, errors.FactorNotEnrolled),
    )
    async def of_role(self, request: Asking, role: RolePath, data: JSONBody[RequirementWanted]) -> None:
        command = AskOfRole(role=RoleName(role), requirement=data.requirement)
        request.wrote(await ask_of_role(command, request.context(), request.world.ports), STREAM)

    @put(
        "/audiences/{audience:str}",
        operation_id="demandFactorAtAudience",
        status_code=204,
        summary="Demand a second factor for an audience's tokens, or demand it no more",
        description=_DEMANDED,
        responses=refuses(*_CHANGED, errors.NoSuchAudience, errors.FactorNotEnrolled),
    )
    async def at_audience(self, request: Asking, audience: AudiencePath, data: JSONBody[RequirementWanted]) -> None:
        command = AskAtAudience(audience=AudienceName(audience), requirement=data.requirement)
        request.wrote(await ask_at_audience(command, request.context(), request.world.ports), STREAM)
