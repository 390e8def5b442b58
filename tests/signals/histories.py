"""Anything that signals, in any order, of a few people, services, roles and audiences."""

import random
from collections.abc import Awaitable, Callable, Sequence
from itertools import count

from domain.audience import Rules
from domain.ids import ClientId, UserId
from tests.signals.author import Author

_names = count(1)
Step = Callable[[UserId], Awaitable[object]]


async def some_history(author: Author, chance: random.Random, steps: int) -> None:
    people = [await author.user("user", "editor") for _ in range(4)]
    clients = [await author.client(f"client{next(_names)}") for _ in range(2)]
    await author.role("editor", "shop.read", "shop.write", "minos.users.read")
    await author.audience(robots := f"robots{next(_names)}", people=False)
    for _ in range(steps):
        await chance.choice(_steps(author, chance, clients, robots))(chance.choice(people))
    await author.delete_client(clients[1])
    await author.withdraw_key(f"key-{next(_names)}".ljust(43, "x"))


def _steps(author: Author, chance: random.Random, clients: Sequence[ClientId], robots: str) -> list[Step]:
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
        lambda _: author.revoke_client(clients[0]),
        lambda _: author.revoke_token(seconds=chance.choice([-3_000, 500])),
        lambda _: author.revoke_api_key(),
        lambda _: author.role(f"role{next(_names)}", "shop.read"),
        author.session,
        lambda _: author.give_token(robots, chance.choice(clients)),
        lambda _: author.rule(robots, Rules(clients=chance.choice([(), (clients[0],), (clients[1],)]))),
    ]
