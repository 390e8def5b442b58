"""Demand second factors: of the holders of a role, and of whoever wants a token for an audience."""

from collections.abc import Sequence

from msgspec import Struct

from commands.audience_heads import audience_in, audience_reads
from commands.authority import caller_reads, require_within
from commands.context import Context
from commands.factor_policy_head import POLICY_READ
from commands.ports import Ports
from commands.transact import Done, Read, Transaction, read_states, transact
from domain import factor_policy, role
from domain.audience import Defined
from domain.errors import FactorNotEnrolled, NoSuchAudience, NoSuchRole, ReauthenticationRequired
from domain.factor_policy import FactorPolicy, Requirement, acr_for, asks_more, meets
from domain.ids import AudienceSlug, RoleSlug
from domain.permission import EVERYTHING, Permission
from domain.session import MINOS
from domain.session_events import AuthMethod

PROOF_MAX_AGE = 900
"""Seconds, for who demands of themselves what they have not shown."""


class AskOfRole(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    role: RoleSlug
    requirement: Requirement


class AskAtAudience(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    audience: AudienceSlug
    requirement: Requirement


async def read_factor_policy(ports: Ports) -> FactorPolicy:
    """Read from the head: never stale."""
    return (await read_states(ports, [POLICY_READ])).state(*POLICY_READ)


async def ask_of_role(command: AskOfRole, ctx: Context, ports: Ports) -> Done[None]:
    """Raises NoSuchRole, RightsExceeded, and where the caller holds it and showed less ReauthenticationRequired, or
    FactorNotEnrolled where they have none."""
    of_role: Read = (role.decider, role.stream(command.role))

    def decide(tx: Transaction) -> None:
        defined = tx.state(*of_role)
        if not isinstance(defined, role.Defined):
            raise NoSuchRole
        state = tx.state(*POLICY_READ)
        before = state.roles.get(command.role, Requirement.NONE)
        require_within(_behind(defined.permissions, command.requirement, before), ctx, tx)
        held = ctx.principal is not None and command.role in ctx.principal.roles
        _require_shown(command.requirement, before, ctx, applies=held)
        tx.record(*POLICY_READ, factor_policy.ask_of_role(state, role=command.role, requirement=command.requirement, at=tx.at))

    return await transact(ports, ctx, [POLICY_READ, of_role, *caller_reads(ctx)], decide)


async def ask_at_audience(command: AskAtAudience, ctx: Context, ports: Ports) -> Done[None]:
    """Raises NoSuchAudience, RightsExceeded, and where it is Minos itself and the caller showed less ReauthenticationRequired,
    or FactorNotEnrolled where they have none."""
    reads: Sequence[Read] = [POLICY_READ, *audience_reads([command.audience]), *caller_reads(ctx)]

    def decide(tx: Transaction) -> None:
        defined = audience_in(tx, command.audience)
        if not isinstance(defined, Defined):
            raise NoSuchAudience
        state = tx.state(*POLICY_READ)
        before = state.audiences.get(command.audience, Requirement.NONE)
        require_within(_behind(defined.rules.permissions, command.requirement, before), ctx, tx)
        _require_shown(command.requirement, before, ctx, applies=command.audience == MINOS)
        events = factor_policy.ask_at_audience(state, audience=command.audience, requirement=command.requirement, at=tx.at)
        tx.record(*POLICY_READ, events)

    return await transact(ports, ctx, reads, decide)


def _behind(permissions: Sequence[Permission], requirement: Requirement, before: Requirement) -> Sequence[Permission]:
    """Give what a demand is the door to. Where none of it is known here, a service may let whoever names the role, or comes with a token
    for it, do anything: whoever takes the demand back opens the door to all of it."""
    return permissions or ((EVERYTHING,) if asks_more(before, requirement) else ())


def _require_shown(requirement: Requirement, before: Requirement, ctx: Context, *, applies: bool) -> None:
    """Nobody demands of themselves what they have not shown to work here: the last administrator would lock themselves out."""
    if ctx.principal is None or not applies or not asks_more(requirement, before):
        return
    if not meets(requirement, map(AuthMethod, ctx.principal.amr)):
        if ctx.principal.factorless:
            raise FactorNotEnrolled
        raise ReauthenticationRequired(PROOF_MAX_AGE, acr_for(requirement))
