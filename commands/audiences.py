"""Register a service that tokens may be issued for, change its rules, retire it; and read the rules where a token is made."""

from collections.abc import Iterable, Sequence
from typing import Annotated

from msgspec import Meta, Struct

from commands.audience_heads import audience_in, audience_reads
from commands.authority import caller_reads, require_within
from commands.context import Context
from commands.ports import Ports
from commands.shown_text import SHOWN
from commands.signing_keys import ensure_signing_key
from commands.transact import Done, Transaction, earlier_answer, read_states, transact
from domain import audience
from domain.audience import BUILT_IN, Rules, Undefined
from domain.errors import AudienceNotAllowed, AudienceProtected
from domain.event import SealClass, Sealed
from domain.ids import AudienceName, AudienceSlug, StreamName
from domain.permission import Permission


class DefineAudience(Rules, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: AudienceSlug
    description: Annotated[str, Meta(min_length=1, max_length=1_000, pattern=SHOWN)] | None = None

    def __repr__(self) -> str:
        return f"DefineAudience(name={self.name})"


class ChangeAudience(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    audience: AudienceSlug
    rules: Rules


class RetireAudience(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    audience: AudienceSlug


class DefinedAudience(Struct, frozen=True, kw_only=True):
    audience: AudienceSlug


async def define_audience(command: DefineAudience, ctx: Context, ports: Ports) -> Done[DefinedAudience]:
    """Raises AudienceExists (also for a retired name), AudienceProtected, RightsExceeded."""
    if (first := await earlier_answer(ports, ctx, DefinedAudience)) is not None:
        return first
    stream = audience.stream(command.name)
    await _ensure_key(stream, command, ctx, ports)
    description = await _sealed_description(command, ports)

    def decide(tx: Transaction) -> DefinedAudience:
        require_within(command.permissions, ctx, tx)
        state = tx.state(audience.decider, stream)
        events = audience.define(state, audience=command.name, rules=command, description=description, at=tx.at)
        tx.record(audience.decider, stream, events)
        return DefinedAudience(audience=command.name)

    return await transact(ports, ctx, [(audience.decider, stream), *caller_reads(ctx)], decide, remember=DefinedAudience)


async def change_audience(command: ChangeAudience, ctx: Context, ports: Ports) -> Done[None]:
    """Raises NoSuchAudience, AudienceProtected, RightsExceeded (for what its catalogue held before, too)."""
    stream = _stream_of(command.audience)
    await _ensure_key(stream, command.rules, ctx, ports)

    def decide(tx: Transaction) -> None:
        now = audience.defined(tx.state(audience.decider, stream))
        require_within((*now.rules.permissions, *command.rules.permissions), ctx, tx)
        tx.record(audience.decider, stream, audience.change(now, rules=command.rules, at=tx.at))

    return await transact(ports, ctx, [(audience.decider, stream), *caller_reads(ctx)], decide)


async def retire_audience(command: RetireAudience, ctx: Context, ports: Ports) -> Done[None]:
    """No token is issued for it from now on. Raises NoSuchAudience, AudienceProtected, RightsExceeded."""
    stream = _stream_of(command.audience)

    def decide(tx: Transaction) -> None:
        state = tx.state(audience.decider, stream)
        require_within(_catalogue(state), ctx, tx)
        tx.record(audience.decider, stream, audience.retire(state, at=tx.at))

    return await transact(ports, ctx, [(audience.decider, stream), *caller_reads(ctx)], decide)


async def register_audiences(names: Iterable[AudienceName], ctx: Context, ports: Ports) -> None:
    """Define those of the settings that were never defined; safe to run at every start. A retired one stays retired."""
    wanted = [name for name in dict.fromkeys(names) if name not in BUILT_IN]
    if not wanted:
        return

    def decide(tx: Transaction) -> None:
        for name in wanted:
            state = tx.state(audience.decider, audience.stream(name))
            if isinstance(state, Undefined):
                events = audience.define(state, audience=name, rules=Rules(), description=None, at=tx.at)
                tx.record(audience.decider, audience.stream(name), events)

    await transact(ports, ctx, audience_reads(wanted), decide)


async def require_registered(names: Sequence[AudienceName], ports: Ports) -> None:
    """Raise AudienceNotAllowed for a name that is no audience of ours."""
    if reads := audience_reads(names):
        tx = await read_states(ports, reads)
        if not all(isinstance(audience_in(tx, name), audience.Defined) for name in names):
            raise AudienceNotAllowed


def _stream_of(name: AudienceName) -> StreamName:
    if name in BUILT_IN:
        raise AudienceProtected
    return audience.stream(name)


async def _ensure_key(stream: StreamName, rules: Rules, ctx: Context, ports: Ports) -> None:
    """Its first token must find a key to sign it. Who will be refused makes none."""
    if rules.algorithm is not None:
        tx = await read_states(ports, [(audience.decider, stream), *caller_reads(ctx)])
        require_within((*_catalogue(tx.state(audience.decider, stream)), *rules.permissions), ctx, tx)
        await ensure_signing_key(rules.algorithm, ctx, ports)


def _catalogue(state: audience.Audience) -> Sequence[Permission]:
    return state.rules.permissions if isinstance(state, audience.Defined) else ()


async def _sealed_description(command: DefineAudience, ports: Ports) -> Sealed | None:
    if command.description is None:
        return None
    stream = audience.stream(command.name)
    fields = {"description": command.description}
    return (await ports.vault.seal(subject=stream, seal_class=SealClass.PROFILE, stream=stream, fields=fields))["description"]
