"""What went wrong, in words for an operator who can mend it."""

import os
import pwd
from pathlib import Path


def explained(error: Exception) -> str | None:
    """Give the words; None for a fault of ours, which keeps its traceback."""
    import msgspec

    from adapters.settings_source import BadSettings
    from cli.database import in_words

    module = type(error).__module__ + "."
    match error:
        case BadSettings(problems=problems):
            return "the settings cannot be used:\n" + "\n".join(f"  - {problem}" for problem in problems)
        case PermissionError() if (owner := _other_owner(error)) is not None:
            return f"no permission for {error.filename}: it belongs to {owner}; was `minos up` started with sudo, or by another user?"
        case OSError(filename=str(file), strerror=str(why)):
            return f"{file}: {why}"
        case OSError() | TimeoutError():  # without a file: of a server, or a full disk's word on a file that was open already
            return in_words(error)
        case _ if module.startswith(("asyncpg.", "nats.")):
            return in_words(error)
        case msgspec.ValidationError():
            return f"not accepted: {error}"
        case _ if module.startswith(("adapters.", "cli.", "migrations.", "domain.errors.", "workers.")):
            return str(error)  # ours are written for whoever can mend it
        case _:
            return None


def _other_owner(error: PermissionError) -> str | None:
    """Name the user whose file it is, or whose folder it is in as far as we can look; None when that is us."""
    if error.filename is None:
        return None
    path = Path(os.fsdecode(error.filename)).absolute()
    for part in (path, *path.parents):
        try:
            uid = part.stat().st_uid
        except OSError:
            continue  # not there, or in a folder that is closed to us
        return None if uid == os.geteuid() else _name(uid)
    return None


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
