"""A service says that it has forgotten somebody, too (ACC-24)."""

from msgspec import Struct

from commands.authority import caller_reads, require_within
from commands.context import Context
from commands.ports import Ports
from commands.put_off_erasure import erasure_of
from commands.transact import Done, Transaction, transact
from domain import erasure
from domain.errors import PermissionDenied
from domain.ids import AudienceName, AudienceSlug, UserId
from domain.permission import allows
from domain.signal_rights import role_signals


class AcknowledgeErasure(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`audience`: whose service has forgotten them."""

    audience: AudienceSlug


async def acknowledge_erasure(user_id: UserId, command: AcknowledgeErasure, ctx: Context, ports: Ports) -> Done[None]:
    """Write down that the service of an audience has done its part; once. Who may say so may read the audience's role signals.

    Raises PermissionDenied for whoever is no service account, or another audience's; NoSuchErasure until it is completed here.
    """
    require_service_of(command.audience, ctx)
    of_erasure = erasure_of(user_id)

    def decide(tx: Transaction) -> None:
        require_within([role_signals(command.audience)], ctx, tx)
        tx.record(*of_erasure, erasure.acknowledge(tx.state(*of_erasure), user_id=user_id, audience=command.audience, at=tx.at))

    return await transact(ports, ctx, [of_erasure, *caller_reads(ctx)], decide)


def require_service_of(audience: AudienceName, ctx: Context) -> None:
    """Raise PermissionDenied unless a service account calls that is a service of this audience."""
    machine = ctx.machine
    if machine is None or machine.client_id is None or not allows(machine.permissions, role_signals(audience)):
        raise PermissionDenied
