"""What a service may do at NATS for the signals it may read, subject by subject; beside it, nothing."""

from collections.abc import Sequence

from msgspec import Struct

from domain.ids import AudienceName, ClientId

OURS = "MINOS"
"""The account with the streams."""
DOWNSTREAM = "DOWNSTREAM"
"""The account that services are let into."""
DIRECT_GET = "$JS.API.DIRECT.GET"
ACCESS_STREAM = "SIG_ACCESS"


class Rights(Struct, frozen=True):
    publish: tuple[str, ...]
    subscribe: tuple[str, ...]


def rights(client_id: ClientId, *, access: bool, audiences: Sequence[AudienceName]) -> Rights:
    """Give them for the class `access`, if so, and for the roles at these audiences. Of a stream, messages may be read and nothing else:
    whoever may make a consumer can have stored messages delivered to any subject (nats-server#8274)."""
    streams = ([ACCESS_STREAM] if access else []) + [role_stream(name) for name in audiences]
    subjects = (["live.v1.access.>", "hint.v1.access.>"] if access else []) + [s for name in audiences for s in _of_roles(name)]
    inbox = [f"_INBOX_{client_id}.>"] if streams else []
    return Rights(tuple(f"{DIRECT_GET}.{stream}" for stream in streams), (*subjects, *inbox))


def role_stream(audience: AudienceName) -> str:
    return f"SIG_ROLES_{audience}"


def _of_roles(audience: AudienceName) -> list[str]:
    return [f"live.v1.roles.{audience}.>", f"live.v1.role_map.{audience}.>", f"hint.v1.roles.{audience}.>"]
