"""The request as handlers see it: its message decoded, its caller known, and the parts they may call."""

import re
from collections.abc import Sequence
from typing import Any, TypeVar, cast

import msgspec
from litestar import Controller, Request
from litestar.datastructures import State
from msgspec import Struct

from api.bodies import decode
from api.exchange import Exchange, exchange_of
from api.refusals import AuthenticationRequired, Fault, ValidationFailed
from api.world import World
from commands.context import Context, Principal, Repeat
from commands.ports import AccessClaims
from commands.transact import Done
from domain.errors import IdempotencyKeyInvalid
from domain.ids import CorrelationId, SessionId, StreamName
from domain.permission import Permission

R = TypeVar("R")
EMPTY = b"{}"
_KEY = re.compile(rb"[!-~]{22,255}")


class Asking(Request[Any, Any, State]):
    """One request. `caller` and `claims` are there where the route's access rule asks for them."""

    async def body(self) -> bytes:
        """Give the body the edge has read; no body at all is an empty object."""
        return self.exchange.body or EMPTY

    async def json(self) -> Any:
        """Give the body as the handler's own type."""
        field = self.route_handler.parsed_data_field
        return None if field is None else decode(await self.body(), cast("type[Struct]", field.annotation))

    @property
    def exchange(self) -> Exchange:
        return exchange_of(self.scope)

    @property
    def world(self) -> World:
        return cast("World", self.app.state.world)

    @property
    def is_open(self) -> bool:
        """Whether there is a world yet: handlers of `/health/` run before."""
        return self.app.state.get("world") is not None

    @property
    def claims(self) -> AccessClaims:
        claims = self.exchange.claims
        if claims is None:
            raise AuthenticationRequired
        return claims

    @property
    def caller(self) -> Principal:
        """The person who calls, where only a person may."""
        principal = self.exchange.principal
        if principal is None:
            raise AuthenticationRequired
        return principal

    @property
    def own_session(self) -> SessionId | None:
        """The session of the person who calls; a machine has none."""
        return None if self.exchange.principal is None else self.exchange.principal.session_id

    @property
    def permissions(self) -> Sequence[Permission]:
        """What the caller may do at this moment, where the access rule asks for a permission."""
        machine = self.exchange.machine
        return self.caller.permissions if machine is None else machine.permissions

    @property
    def controllers(self) -> tuple[type[Controller], ...]:
        """The routes this application was made of."""
        return cast("tuple[type[Controller], ...]", self.app.state.controllers)

    @property
    def caller_name(self) -> str:
        """What tokens for the caller alone are bound to."""
        machine = self.exchange.machine
        return f"user:{self.caller.user_id}" if machine is None else machine.name

    @property
    def route(self) -> str:
        """The address with its ids, which is what a cursor belongs to."""
        return self.scope["path"]

    def context(self, *, repeat: Repeat | None = None) -> Context:
        return context_of(self.exchange, self.world, repeat=repeat)

    def repeatable(self, message: Struct, *secrets: str) -> Context:
        """As `context`, with the Idempotency-Key if there is one. `secrets` are fields the body's digest leaves out.

        What stands in the address and not in the body has to be in the message: the key belongs to the route, whatever its ids are.

        Raises IdempotencyKeyInvalid.
        """
        given = self.exchange.headers.get(b"idempotency-key")
        if given is None:
            return self.context()
        if _KEY.fullmatch(given) is None:
            raise IdempotencyKeyInvalid
        macs, principal, machine = self.world.ports.macs, self.exchange.principal, self.exchange.machine
        who = str(principal.user_id) if principal is not None else "anonymous" if machine is None else machine.name
        asked = {"principal": who, "method": self.method, "route": self.scope["path_template"], "key": given.decode("ascii")}
        digest = macs.body_digest(_without(message, secrets))
        return self.context(repeat=Repeat(key=macs.idempotency_key(**asked), digest=digest, sealing=macs.sealing_key(**asked)))

    def wrote(self, done: Done[R], stream: StreamName) -> R:
        """Tell the caller which version the stream has now, as a token only they can use (threats.md 15)."""
        version = done.versions.get(stream)
        if version is not None and (self.exchange.principal or self.exchange.machine):
            token = self.world.versions.make(self.caller_name, stream, version)
            self.exchange.say(b"minos-stream-version", token)
        return done.result


def context_of(exchange: Exchange, world: World, *, repeat: Repeat | None = None) -> Context:
    """Say who asks and from where, for a command. The correlation id is ours, never the caller's (threats.md 19)."""
    return Context(
        correlation_id=CorrelationId(world.ports.random.uuid7()),
        principal=exchange.principal,
        machine=exchange.machine,
        action=exchange.action,
        network=exchange.network,
        user_agent=exchange.user_agent,
        repeat=repeat,
    )


def _without(message: Struct, secrets: tuple[str, ...]) -> bytes:
    """Write the message as one exact text, whatever order or spacing the client chose."""
    fields = msgspec.to_builtins(message)
    return msgspec.json.encode({name: value for name, value in fields.items() if name not in secrets}, order="sorted")


def refused_query(name: str, code: str, detail: str) -> ValidationFailed:
    return ValidationFailed((Fault(pointer=f"?{name}", code=code, detail=detail),))
