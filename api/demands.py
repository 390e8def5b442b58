"""What a gateway asks, read from the query of its question."""

from functools import lru_cache
from urllib.parse import parse_qsl

from commands.check_credential import Demand
from domain.ids import AudienceName, RoleName, is_slug
from domain.permission import Permission, is_permission

MOST = 16
"""Roles, and permissions, in one question."""


@lru_cache(maxsize=1_024)
def plain_demand(query: bytes) -> Demand | None:
    """Give what is asked, where there is nothing wrong with the question; for all others, the ordinary route has words.

    Kept, since gateways ask the same all day.
    """
    if not query.isascii():
        return None
    given = parse_qsl(query.decode("ascii"), keep_blank_values=True)
    audiences = [value for name, value in given if name == "audience"]
    roles = tuple(RoleName(value) for name, value in given if name == "role")
    permissions = tuple(Permission(value) for name, value in given if name == "permission")
    if not audiences or len(given) != 1 + len(roles) + len(permissions) or max(len(roles), len(permissions)) > MOST:
        return None
    if not all(map(is_slug, (*audiences, *roles))) or not all(map(is_permission, permissions)):
        return None
    return Demand(audience=AudienceName(audiences[0]), roles=roles, permissions=permissions)
