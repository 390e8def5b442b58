"""From arguments to the message a command takes; what does not fit is said in words, where the type only knows a pattern."""

import re
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from cli.command import NotAccepted

ROLE = "a role's name is 1 to 64 lower-case letters, digits, hyphens or underscores, and begins with a letter or digit"
PERMISSION = "a permission is 1 to 8 segments joined by dots, each of lower-case letters, digits, hyphens or underscores, or `*`"
KEY = "a signing key is named by 43 letters, digits, hyphens or underscores, as `minos keys list` shows them"
AUDIENCE = "an audience's name is 1 to 64 lower-case letters, digits, hyphens or underscores, and begins with a letter or digit"
CLIENT = "a service account is named by its client id here, as `minos service-accounts list` shows it"
_MAY_BE = {
    "name": ROLE,
    "role": ROLE,
    "roles": ROLE,
    "audience": AUDIENCE,
    "DefineAudience.name": AUDIENCE,
    "permissions": PERMISSION,
    "clients": CLIENT,
    "kid": KEY,
}
_PATTERN = re.compile(r"matching regex .* - at `\$\.(rules\.)?(\w+)(?:\[(\d+)\])?`$", re.DOTALL)

S = TypeVar("S", bound=Struct)


def wish(into: type[S], **given: Any) -> S:
    """Make the message. Raises NotAccepted, or ValidationError where its own words say enough."""
    try:
        return msgspec.convert(given, into)
    except msgspec.ValidationError as error:
        found = _PATTERN.search(str(error))
        if found is None:
            raise
        inside, name, at = found.groups()
        may_be = _MAY_BE.get(f"{into.__name__}.{name}") or _MAY_BE.get(name)
        if may_be is None:
            raise
        value = (given["rules"] if inside else given)[name]
        raise NotAccepted(f"not accepted: {(value[int(at)] if at else value)!r}; {may_be}") from None
