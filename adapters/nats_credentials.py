"""The file that proves to NATS who we are: NATS credentials (`.creds`: a JWT and a seed), or the seed of an nkey alone."""

import re
from pathlib import Path
from typing import TypedDict

from adapters import plain_file
from adapters.nats_keys import is_user_seed

_LARGEST_FILE = 64 * 1024
_JWT = re.compile(r"BEGIN NATS USER JWT.*\n[\w-]+\.[\w-]+\.[\w-]+\n", re.ASCII)
_SEED = re.compile(r"BEGIN USER NKEY SEED.*\n(\w+)\n", re.ASCII)


class BadCredentials(Exception):
    """The file cannot be used. The message names the setting, and nothing of what it or the file holds: either may be the secret."""


class Proof(TypedDict, total=False):
    """What nats-py is to be given when it connects. It reads the file again for every connection."""

    user_credentials: str
    nkeys_seed: str


def proof(file: Path | None) -> Proof:
    """Look which of the two it is. Raises BadCredentials.

    The look is a thorough one, because nats-py is not: in a file without a JWT it searches for ever.
    """
    if file is None:
        return {}
    try:
        text = plain_file.small(file, most=_LARGEST_FILE).decode("ascii")
    except (OSError, ValueError) as error:
        raise BadCredentials(f"MINOS_NATS_CREDENTIALS: the file it names cannot be read ({type(error).__name__})") from None
    if is_user_seed(text.strip()):
        return {"nkeys_seed": str(file)}
    seed = _SEED.search(text)
    if _JWT.search(text) and seed and is_user_seed(seed[1]):
        return {"user_credentials": str(file)}
    raise BadCredentials("MINOS_NATS_CREDENTIALS: expected a file with NATS credentials (JWT and seed), or a user's seed alone (SU...)")
