"""`minos_sdk/codes.py`: the closed list of codes that services and the SDK share, from the table of statuses."""

from collections.abc import Iterator

from api.oauth_errors import NAMES
from api.problems import STATUS

OF_THE_SDK: dict[str, tuple[int, str]] = {
    "action_token_required": (403, "This asks for an action token."),
    "credential_unknown": (503, "Whether this credential is good cannot be found out at the moment."),
    "keys_unavailable": (503, "The keys that tokens are verified with cannot be had at the moment."),
    "revocations_unknown": (503, "It is not known at the moment which credentials were revoked."),
    "role_required": (403, "This asks for a role that the caller does not have."),
    "scope_required": (403, "This asks for a scope that the token does not have."),
    "service_required": (403, "This is for certain services only."),
    "token_expired": (401, "The access token has expired."),
    "token_revoked": (401, "The access token, or what it belongs to, was revoked."),
    "unavailable": (503, "Credentials cannot be judged at the moment."),
    "unreachable": (503, "Minos cannot be reached at the moment."),
}
"""What only a service can say, about Minos being away and about its own rules."""

_INTRODUCTION = '''\
"""Every code a problem can have, here and at Minos: a closed list.

Made from the service's own table by `python -m docs.generate`; edits here are lost.
"""
# ruff: noqa: S105 - what is named after tokens and passwords is none

from enum import StrEnum


class Code(StrEnum):
    """A program compares these, never the words beside them."""
'''


def page() -> str:
    rows = (f'{code.upper()} = "{code}"\n    """{status}: {detail}"""' for code, (status, detail) in sorted(codes().items()))
    return _INTRODUCTION + "".join(f"\n    {row}" for row in rows) + "\n"


def codes() -> dict[str, tuple[int, str]]:
    """Give status and meaning of each code. Those of OAuth endpoints that problems have too mean the same."""
    return {name: (status, _OAUTH) for status, name in NAMES.values()} | dict(_problems()) | OF_THE_SDK


_OAUTH = "As RFC 6749 5.2 and its extensions say; at OAuth endpoints only."


def _problems() -> Iterator[tuple[str, tuple[int, str]]]:
    for kind, status in STATUS.items():
        yield kind.code, (status, kind.detail)
