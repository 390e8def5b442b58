"""Today's parameters for yesterday's hash, while the password is at hand."""

from contextlib import suppress

from commands.choose_password import destroy_left, sealed_password
from commands.context import Context
from commands.ports import Ports
from commands.transact import Transaction, transact
from domain import user, user_password
from domain.account import Account
from domain.errors import Contended, NoSuchUser, Overloaded


async def rehash_password(account: Account, password: str, ctx: Context, ports: Ports) -> None:
    """Bring the stored hash to today's parameters while the password is at hand, unless the hashers are too busy now.

    What becomes of it refuses nobody: where the account was deleted meanwhile, whoever goes on with it finds that out.
    """
    of_user = user.stream(account.user_id)
    try:
        sealed = await sealed_password(password, of_user, ctx, ports)
    except Overloaded:
        return

    def decide(tx: Transaction) -> None:
        events = user_password.rehash_password(
            tx.state(user.decider, of_user),
            password=sealed,
            verified=account.password,
            at=tx.at,
        )
        tx.record(user.decider, of_user, events)

    with suppress(NoSuchUser, Contended):
        await transact(ports, ctx, [(user.decider, of_user)], decide)
    await destroy_left(of_user, ports)
