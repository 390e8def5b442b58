"""Somebody opens an account of their own."""

from typing import Annotated

from msgspec import Meta, Struct

from commands.context import Context
from commands.open_account import NewAccount, Registered, open_account
from commands.ports import Ports
from commands.shown_text import SHOWN
from commands.transact import Done, earlier_answer
from domain.errors import RegistrationClosed
from domain.ids import RoleName
from domain.user_events import RegisteredBy

EmailText = Annotated[str, Meta(min_length=3, max_length=320, description="An e-mail address.", examples=["ada@example.org"])]
UsernameText = Annotated[str, Meta(min_length=3, max_length=64, description="A login name.", examples=["ada"])]
NameText = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=200,
        pattern=SHOWN,
        description="What people call you. No control characters, line separators or turns of direction: it is shown on terminals, too.",
        examples=["Ada Lovelace"],
    ),
]
PasswordText = Annotated[
    str, Meta(min_length=1, max_length=1_024, description="Any Unicode; nothing is cut off.", examples=["correct horse battery"])
]


class RegisterUser(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    email: EmailText
    password: PasswordText
    username: UsernameText | None = None
    name: NameText | None = None

    def __repr__(self) -> str:
        return "RegisterUser(...)"


async def register_user(command: RegisterUser, ctx: Context, ports: Ports) -> Done[Registered]:
    """Open the account with the default role; the wish never chooses rights.

    Raises RegistrationClosed, EmailTaken, UsernameTaken, InvalidEmail, InvalidUsername, PasswordUnacceptable.
    """
    if ports.policy.registration != "open":
        raise RegistrationClosed
    if (first := await earlier_answer(ports, ctx, Registered)) is not None:
        return first
    return await open_account(self_registered(command, ports), ctx, ports)


def self_registered(command: RegisterUser, ports: Ports) -> NewAccount:
    return NewAccount(
        email=command.email,
        password=command.password,
        username=command.username,
        name=command.name,
        roles=(RoleName(ports.policy.default_role),),
        registered_by=RegisteredBy.SELF,
    )
