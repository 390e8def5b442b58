"""What is handed on to a gateway."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from domain.ids import AudienceName, RoleName
from domain.permission import Permission

WhoCalls = Literal["user", "service", "api_key"]


class Found(Struct, frozen=True, kw_only=True):
    """Who a credential stands for, found live just now. Times are the database's; what does not apply is empty."""

    principal: WhoCalls
    subject: str
    audience: AudienceName
    roles: tuple[RoleName, ...] = ()
    """Of a person in a session alone: a key or a token of a machine has permissions and no roles, or a narrow key of an administrator
    would pass for one."""
    permissions: tuple[Permission, ...]
    session_id: str = ""
    client_id: str = ""
    key_id: str = ""
    auth_time: int = 0
    acr: str = ""
    amr: tuple[str, ...] = ()
    at: datetime
    expires_at: int
    """Of the credential, in seconds since the epoch."""
