"""Anything that signals, in any order, of a few people, services, roles and audiences."""

import random
from collections.abc import Awaitable, Callable
from itertools import count

from domain.ids import ClientId, UserId
from tests.signals.author import Author

_names = count(1)
Step = Callable[[UserId], Awaitable[object]]


async def some_history(author: Author, chance: random.Random, steps: int) -> None:
    people = [await author.user("user", "editor") for _ in range(4)]
    clients = [await author.client(f"client{next(_names)}") for _ in range(2)]
    await author.role("editor", "shop.read", "shop.write", "minos.users.read")
    for _ in range(steps):
        await chance.choice(_steps(author, chance, clients[0]))(chance.choice(people))
    await author.delete_client(clients[1])
    await author.withdraw_key(f"key-{next(_names)}".ljust(43, "x"))


def _steps(author: Author, chance: random.Random, client_id: ClientId) -> list[Step]:
    async def end_a_session(ada: UserId) -> None:
        await author.revoke(await author.session(ada), ada)

    async def toggle_role(ada: UserId) -> None:
        await (author.take(ada, "editor") if "editor" in author.roles(ada) else author.grant(ada, "editor"))

    return [
        end_a_session,
        end_a_session,
        author.sign_out,
        author.suspend,
        author.reinstate,
        author.change_password,
        toggle_role,
        lambda _: author.role("editor", chance.choice(["shop.read", "shop.*", "other.read"])),
        lambda _: author.audience(f"shop{next(_names)}", *chance.choice([(), ("shop.read",)]), people=chance.random() < 0.8),
        lambda _: author.revoke_client(client_id),
        lambda _: author.revoke_token(seconds=chance.choice([-3_000, 500])),
        lambda _: author.revoke_api_key(),
        lambda _: author.role(f"role{next(_names)}", "shop.read"),
        author.session,
    ]
