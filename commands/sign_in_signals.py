"""Whether a sign-in looks like the ones before it. What those looked like is kept as keyed digests, read and written with the guard's
own questions: a sign-in asks no more for it."""

from msgspec import Struct

from commands.context import Context
from commands.ports import GuardReading, Ports
from domain.suspicion import Signal, signals


class Origin(Struct, frozen=True, kw_only=True):
    """Where from and on what, as digests that are worth nothing for another account."""

    network: bytes | None
    agent: bytes | None

    @property
    def facts(self) -> tuple[bytes, ...]:
        return tuple(fact for fact in (self.network, self.agent) if fact is not None)


def origin_of(name_mac: bytes, ctx: Context, ports: Ports) -> Origin:
    def digest(kind: str, text: str | None) -> bytes | None:
        return None if text is None else ports.macs.sign_in_fact(name_mac, kind, text)

    return Origin(network=digest("network", ctx.network), agent=digest("user_agent", ctx.user_agent))


def suspicious_signals(origin: Origin, reading: GuardReading, ports: Ports, *, known_device: bool) -> tuple[Signal, ...]:
    """Give what is strange about it, where it is strange enough to be called suspicious. What is not known of it is not new."""
    known = reading.known_facts
    found = signals(
        first=known is None,
        network_known=origin.network is None or origin.network in (known or ()),
        device_known=known_device or origin.agent is None or origin.agent in (known or ()),
        failures=reading.failures - 1,
    )
    return found if ports.score(found) else ()
