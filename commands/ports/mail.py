"""What is written to people, as commands see it."""

from enum import StrEnum


class Letter(StrEnum):
    """Every kind of mail there is. Each has its wording in every language."""

    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - the name of a letter
