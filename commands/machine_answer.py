"""What a service account's access token says, made from its state alone."""

from datetime import datetime

from commands.ports import AccessClaims, Ports
from domain.audience import PrincipalKind
from domain.client import Registered
from domain.ids import AudienceName
from domain.permission import Permission


def machine_claims(
    account: Registered, ports: Ports, *, audience: AudienceName, permissions: tuple[Permission, ...], ttl: int, at: datetime
) -> AccessClaims:
    """Give the claims of a token for one audience, good for `ttl` seconds. Its subject is the service account itself (RFC 9068 2.2)."""
    issued = int(at.timestamp())
    return AccessClaims(
        sub=account.client_id,
        aud=audience,
        exp=issued + ttl,
        iat=issued,
        jti=str(ports.random.uuid7()),
        client_id=account.client_id,
        scope=" ".join(permissions),
        roles=(),
        principal=PrincipalKind.SERVICE,
        epoch=account.epoch,
        roles_version=0,
    )
