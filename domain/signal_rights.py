"""What a service account needs to read which signals: the names that NATS and the feeds over HTTP go by alike."""

from collections.abc import Iterable

from domain.ids import AudienceName
from domain.permission import Permission, allows

SIGNALS = Permission("minos.signals.*")
ACCESS_SIGNALS = Permission("minos.signals.access")
"""Sessions, users, clients, keys and tokens that are good no more."""


def role_signals(audience: AudienceName) -> Permission:
    """Who has which roles at an audience, and what these give there."""
    return Permission(f"minos.signals.roles.{audience}")


def signals_for(audience: AudienceName) -> tuple[Permission, Permission]:
    """What a service needs that verifies the tokens of an audience by itself."""
    return ACCESS_SIGNALS, role_signals(audience)


def role_audiences(held: Iterable[Permission], known: Iterable[AudienceName]) -> tuple[AudienceName, ...]:
    """Give the audiences whose role signals may be read: those named outright, and of those known the ones a pattern covers."""
    permissions = tuple(held)
    mark = role_signals(AudienceName(""))
    outright = {AudienceName(p.removeprefix(mark)) for p in permissions if p.startswith(mark)}
    named = {name for name in outright if "." not in name and name != "*"}
    return tuple(sorted(named | {name for name in known if allows(permissions, role_signals(name))}))
