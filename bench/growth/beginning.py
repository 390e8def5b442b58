"""An authority as it was before its first person came: what `minos up` makes, an administrator, a role and an audience, in the past."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from adapters.memory_store import MemoryEventStore
from bench.growth.acting import Made, Past
from bench.growth.lives import AUDIENCE, EDITOR, READER
from commands.audiences import DefineAudience, define_audience, register_audiences
from commands.bootstrap import CreateAdministrator, create_administrator
from commands.context import Context
from commands.define_role import DefineRole, define_built_in_roles, define_role
from commands.ports import Appended, AppendResult, Commit, Ports
from commands.signing_keys import ensure_signing_keys
from domain.ids import AudienceName, CorrelationId
from domain.signing_key import Algorithm

ADMINISTRATOR = "administrator@example.org"


class NotingStore(MemoryEventStore):
    """A store by a clock of the past that keeps what is appended, commit by commit."""

    def __init__(self, past: Past) -> None:
        super().__init__(clock=lambda: past.at)
        self._past = past
        self.made: list[Made] = []

    async def append(self, commit: Commit) -> Appended:
        answer = await super().append(commit)
        if answer.result is AppendResult.DONE:
            self.made.append(Made(self._past.at, commit))
        return answer


async def beginnings(at: datetime, ports: Ports, *, audiences: Sequence[str], algorithm: str, password: str) -> Sequence[Made]:
    """Run the commands of a first start at that moment. Keys and secrets go where `ports` keep them; what is appended is given back."""
    past = Past(at)
    store = NotingStore(past)
    then = replace(ports, store=store, random=past.random)
    ctx = Context(correlation_id=CorrelationId(past.random.uuid7()), system="cli")
    await define_built_in_roles(ctx, then)
    await register_audiences([AudienceName(name) for name in audiences], ctx, then)
    await ensure_signing_keys(Algorithm(algorithm), ctx, then)
    await create_administrator(CreateAdministrator(email=ADMINISTRATOR, password=password), ctx, then)
    await define_audience(DefineAudience(name=AUDIENCE, permissions=(READER,)), ctx, then)
    await define_role(DefineRole(name=EDITOR, permissions=(READER,)), ctx, then)
    return store.made
