"""Checkpoints of which the database can tell nothing wrong, signed by nobody."""

import base64

from adapters.postgres import Connection

NAME = "id.example.org/log"


def note_of(size: int, root: bytes, epoch: int = 1) -> str:
    name = NAME if epoch == 1 else f"{NAME}/{epoch}"
    return f"{name}\n{size}\n{base64.b64encode(root).decode()}\n\n\u2014 {name} AAAA\n"


async def name_the_log(connection: Connection) -> None:
    await connection.execute(
        "INSERT INTO vault.log_keys (name, public, wrapped, kek_id) VALUES ($1, $2, 'x', 'x') ON CONFLICT DO NOTHING", NAME, bytes(32)
    )


async def store_unsigned(connection: Connection, size: int, root: bytes = bytes(32), epoch: int = 1) -> bool:
    """Gives whether it was not there yet."""
    stored: bool = await connection.fetchval(
        "SELECT store_checkpoint($1, $2, $3, $4, NULL, now())", epoch, size, root, note_of(size, root, epoch)
    )
    return stored
