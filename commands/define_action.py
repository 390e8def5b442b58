"""Register the actions of a service: what each asks for, and which service accounts do it."""

from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta, Struct

from commands.audience_heads import serves
from commands.authority import caller_reads, require_within
from commands.context import Context
from commands.ports import Ports
from commands.transact import Done, Read, Transaction, read_states, transact
from domain import action_catalogue, audience, client
from domain.action_catalogue import ActionRule
from domain.assurance import Acr, StepUp
from domain.client import Registered
from domain.errors import AudienceProtected, UnfitVerifier
from domain.ids import ActionName, AudienceName, ClientId, ClientSlug
from domain.session import MINOS


class ActionWanted(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a token for the action asks of a person, and the service accounts that may use it up."""

    verifiers: Annotated[tuple[ClientSlug, ...], Meta(min_length=1, max_length=16)]
    max_age: Annotated[int, Meta(ge=1, le=86_400, description="Seconds the proof may be old.")] = 300
    acr: Acr = Acr.ONE_FACTOR


class Actions(Struct, frozen=True, kw_only=True):
    data: tuple[ActionRule, ...]


async def define_action(name: AudienceName, action: ActionName, wanted: ActionWanted, ctx: Context, ports: Ports) -> Done[None]:
    """Raises NoSuchAudience, AudienceProtected for `minos`, whose actions are its operations; UnfitVerifier, ActionsExhausted."""
    if name == MINOS:
        raise AudienceProtected
    read: Read = (action_catalogue.decider, action_catalogue.stream(name))
    of_audience: Read = (audience.decider, audience.stream(name))
    step_up = StepUp(max_age=wanted.max_age, acr=wanted.acr)

    def decide(tx: Transaction) -> None:
        require_within((), ctx, tx)
        audience.defined(tx.state(*of_audience))
        _require_fit(wanted.verifiers, name, tx)
        events = action_catalogue.define_action(
            tx.state(*read), action, audience=name, step_up=step_up, verifiers=wanted.verifiers, at=tx.at
        )
        tx.record(*read, events)

    clients: list[Read] = [(client.decider, client.stream(each)) for each in wanted.verifiers]
    return await transact(ports, ctx, [*caller_reads(ctx), of_audience, read], decide, glance=clients)


def _require_fit(verifiers: Iterable[ClientId], name: AudienceName, tx: Transaction) -> None:
    """Raise UnfitVerifier for whoever could use up no token now: that is asked again when one is used up."""
    states = {each: tx.state(client.decider, client.stream(each)) for each in verifiers}
    unfit = [each for each, state in states.items() if not isinstance(state, Registered) or not serves(tx, state, name)]
    if unfit:
        raise UnfitVerifier(unfit)


async def withdraw_action(name: AudienceName, action: ActionName, ctx: Context, ports: Ports) -> Done[None]:
    """Tokens for it can be neither made nor used up from now on. Withdrawing what is not there changes nothing."""
    read: Read = (action_catalogue.decider, action_catalogue.stream(name))

    def decide(tx: Transaction) -> None:
        require_within((), ctx, tx)
        tx.record(*read, action_catalogue.withdraw_action(tx.state(*read), action, audience=name, at=tx.at))

    return await transact(ports, ctx, [*caller_reads(ctx), read], decide)


async def list_actions(name: AudienceName, ports: Ports) -> Actions:
    """From the head: never stale."""
    read: Read = (action_catalogue.decider, action_catalogue.stream(name))
    return Actions(data=(await read_states(ports, [read])).state(*read).actions)
