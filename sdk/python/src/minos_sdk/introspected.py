"""Asking the issuer about a token while the feed is silent."""

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

import httpx

from minos_sdk.errors import Blind, MinosError, Revoked
from minos_sdk.identity import Identity
from minos_sdk.permissions import shared
from minos_sdk.ports import Introspector
from minos_sdk.revocations import Revocations


async def introspected(token: str, identity: Identity, introspector: Introspector, known: Revocations) -> Identity:
    """Give what of an identity still holds by the issuer's word. Raises Revoked, and Blind when there is no answer."""
    try:
        answer = await introspector.introspect(token)
    except (MinosError, OSError, httpx.HTTPError):
        raise Blind from None
    said = (answer.get("sub"), answer.get("aud"), answer.get("jti"))
    if answer.get("active") is not True or said != (identity.subject, identity.audience, identity.token_id):
        raise Revoked(reason="revoked_introspected")
    if identity.principal == "service":
        scope = str(answer.get("scope", "")).split()
        return replace(identity, permissions=shared(identity.permissions, scope), scopes=identity.scopes.intersection(scope))
    roles = identity.roles & _roles(answer)
    return replace(identity, roles=roles, permissions=known.given_by(roles))


def _roles(answer: Mapping[str, object]) -> frozenset[str]:
    roles = answer.get("roles", [])
    return frozenset(cast("list[str]", roles)) if isinstance(roles, list | tuple) else frozenset()
