"""A network as the sign-in guard knows it: what makes every device unknown, such as a new password, makes every network so too."""

from commands.context import Context
from commands.ports import Ports
from domain.account import Account


def network_mac(account: Account | None, ctx: Context, ports: Ports) -> bytes | None:
    """Name the caller's network to the guard, for an unknown name too: it costs the same. None where it is not known."""
    if ctx.network is None:
        return None
    epoch = 0 if account is None else account.token_epoch
    return ports.macs.login_name(f"network:{ctx.network}:{epoch}")
