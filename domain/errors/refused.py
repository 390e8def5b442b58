"""The root of the tree of refusals."""

from typing import ClassVar


class Refused(Exception):
    """A wish that was understood and not granted. `code` is public and stable; `detail` tells an attacker nothing."""

    code: ClassVar[str] = "refused"
    detail: ClassVar[str] = "The request was refused."

    def __str__(self) -> str:
        return self.detail
