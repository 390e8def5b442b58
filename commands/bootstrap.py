"""The first administrator, made once: by a one-time code over HTTP, or by whoever holds the database, from the CLI."""

from typing import Annotated

from msgspec import Meta, Struct

from commands.context import Context
from commands.open_account import NewAccount, Registered, check_account, open_account
from commands.ports import Ports
from commands.register_user import EmailText, PasswordText
from commands.transact import Done, Read, Transaction, earlier_answer, read_states
from domain import administrators
from domain import bootstrap as first
from domain.errors import BootstrapClosed, BootstrapCodeInvalid
from domain.ids import RoleName, UserId
from domain.role import ADMIN
from domain.user_events import RegisteredBy


class BootstrapAdministrator(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    code: Annotated[str, Meta(min_length=1, max_length=64, description="The one-time bootstrap code.")]
    email: EmailText
    password: PasswordText

    def __repr__(self) -> str:
        return "BootstrapAdministrator(...)"


class CreateAdministrator(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    email: EmailText
    password: PasswordText
    force: bool = False
    """Make one more although there is one already; for whoever holds the database and has lost the others."""

    def __repr__(self) -> str:
        return f"CreateAdministrator(force={self.force})"


async def bootstrap(command: BootstrapAdministrator, ctx: Context, ports: Ports) -> Done[Registered]:
    """Raises BootstrapClosed once there is an administrator, BootstrapCodeInvalid, and what registering raises."""
    closed = await is_bootstrapped(ports)
    if (again := await earlier_answer(ports, ctx, Registered)) is not None:
        return again
    if closed:
        raise BootstrapClosed
    wanted = _administrator(command.email, command.password, ports)
    await check_account(wanted, ctx, ports)  # a weak password costs no try of the code
    if not await ports.bootstrap.redeem(command.code):
        raise BootstrapCodeInvalid
    return await _create(wanted, ctx, ports, once=True)


async def create_administrator(command: CreateAdministrator, ctx: Context, ports: Ports) -> Done[Registered]:
    """Raises BootstrapClosed where there is one and `force` was not asked for, and what registering raises."""
    once = not (command.force and await is_bootstrapped(ports))
    return await _create(_administrator(command.email, command.password, ports), ctx, ports, once=once)


async def is_bootstrapped(ports: Ports) -> bool:
    tx = await read_states(ports, [(first.decider, first.STREAM)])
    return tx.state(first.decider, first.STREAM).completed


async def _create(wanted: NewAccount, ctx: Context, ports: Ports, *, once: bool) -> Done[Registered]:
    def decide_alongside(tx: Transaction, user_id: UserId) -> None:
        if once:
            tx.record(first.decider, first.STREAM, first.complete(tx.state(first.decider, first.STREAM), user_id=user_id, at=tx.at))
        admins = tx.state(administrators.decider, administrators.STREAM)
        tx.record(administrators.decider, administrators.STREAM, administrators.add(admins, user_id, at=tx.at))

    alongside: list[Read] = [(administrators.decider, administrators.STREAM)]
    if once:
        alongside.append((first.decider, first.STREAM))
    return await open_account(wanted, ctx, ports, alongside=alongside, decide_alongside=decide_alongside)


def _administrator(email: str, password: str, ports: Ports) -> NewAccount:
    return NewAccount(
        email=email,
        password=password,
        username=None,
        name=None,
        roles=(ADMIN, RoleName(ports.policy.default_role)),
        registered_by=RegisteredBy.BOOTSTRAP,
    )
